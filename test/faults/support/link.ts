import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface Link {
  port: number;
  /** From now on nothing arrives and nothing is closed, as with a cable that was pulled. */
  cut(): void;
  /** Connections made from now on work. Those that were there stay silent, as behind a firewall that forgot them. */
  mend(): void;
  close(): Promise<void>;
}

/** A network of one cable: connections to its port arrive at another one of this machine. */
export async function startLink(port: number): Promise<Link> {
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((near) => {
    keep(near);
    if (isCut) return;
    const far = connect(port, '127.0.0.1');
    keep(far);
    near.pipe(far).pipe(near);
    far.on('close', () => isCut || near.destroy());
    near.on('close', () => isCut || far.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  function keep(socket: Socket): void {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  }
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The link has no port.');
  return {
    port: address.port,
    cut() {
      isCut = true;
      for (const socket of sockets) socket.unpipe().pause();
    },
    mend() {
      isCut = false;
    },
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}
