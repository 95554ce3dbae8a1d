import { type AddressInfo, isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildApp, type IdcardApp } from '../app.ts';
import { codeOf } from '../base/error-code.ts';
import { createLogger } from '../base/logger.ts';
import { StartupError } from '../base/startup-error.ts';
import type { Config } from '../config/config.ts';
import type { Parts } from '../parts.ts';
import { rootRoute } from '../routes/operations/root.ts';
import { closePort } from './last-connections.ts';
import type { StopSignal } from './signals.ts';

/**
 * Threads for other work beside the main thread, such as DNS, files and WebCrypto, so that such work never waits for a
 * hash. There are no more of them: each thread that has ever hashed keeps the memory of a hash.
 */
const SPARE_THREADS = 1;

/** For how long the last answers may take. With the default delay it is less than the 10 s that Docker waits. */
const LONGEST_GOODBYE_MS = { SIGTERM: 4000, SIGINT: 500 };

/** What differs where several processes serve. */
interface WorkerSettings extends Required<Pick<Parts, 'primaryLimits' | 'siblings'>> {
  /** Its number, in every line of the log. */
  worker: number;
  /** Resolves when the primary has closed the port and every request has its answer. */
  portIsClosed: Promise<unknown>;
}

export interface Server {
  /** Addresses such as `127.0.0.1:3000`; several where the host name has several. */
  listensOn: string[];
  /**
   * Stops without a failed request. The server is not ready at once, so that the balancer looks elsewhere. It serves
   * until the balancer has noticed. Then it takes no new connection, and ends when the requests in flight have their
   * answers. Ctrl-C does not wait for the balancer.
   */
  stop(signal: StopSignal): Promise<void>;
}

/**
 * Starts the server of one process, until it listens.
 * @param env the process's own: libuv reads the size of its pool there when the pool gets its first work
 * @throws StartupError
 */
export async function startServer(
  config: Config,
  env: NodeJS.ProcessEnv,
  { worker, portIsClosed, ...ofPrimary }: Partial<WorkerSettings> = {},
): Promise<Server> {
  env.UV_THREADPOOL_SIZE ||= String(config.passwords.hashing.atOnce + SPARE_THREADS);
  const app = await buildApp(config, { ...ofPrimary, logger: await createLogger(config.log, worker) });
  rootRoute(app, config.server);
  await listen(app, config.server);
  async function sayGoodbye(): Promise<void> {
    await (portIsClosed ?? closePort(app.server));
    await app.close();
  }
  return {
    listensOn: addressesOf(app),
    async stop(signal) {
      app.beginStop(signal);
      if (signal === 'SIGTERM') await sleep(config.server.shutdownDelaySeconds * 1000);
      // The wait has an end: a browser opens connections in advance, and one without a request would hold up the close.
      await Promise.race([sayGoodbye(), sleep(LONGEST_GOODBYE_MS[signal])]);
    },
  };
}

function addressesOf(app: IdcardApp): string[] {
  return (app.addresses() as AddressInfo[]).map(({ address, port }) =>
    isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`,
  );
}

async function listen(app: IdcardApp, { host, port }: Config['server']): Promise<void> {
  try {
    await app.listen({ host, port, listenTextResolver: () => 'server.listening' });
  } catch (cause) {
    const code = codeOf(cause);
    const reason =
      code === 'EADDRINUSE'
        ? 'is already in use: stop the other process, or set PORT to a free one'
        : `cannot be used (${code}): set HOST and PORT to an address of this machine`;
    throw new StartupError(`The address ${host}:${port} ${reason}.`, { cause });
  }
}
