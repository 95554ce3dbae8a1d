import { once } from 'node:events';
import { createServer } from 'node:http';

/** Serves a page under every address and every name of this machine. */
export async function serveHostilePage(): Promise<{ port: number; close: () => void }> {
  const server = createServer((_request, response) => {
    response
      .setHeader('content-type', 'text/html')
      .end('<!doctype html><title>You have won</title><body>Click here</body>');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return {
    port: address.port,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
