import { type AddressInfo, isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildApp, type IdcardApp } from '../app.ts';
import { codeOf } from '../base/error-code.ts';
import { createLogger } from '../base/logger.ts';
import { StartupError } from '../base/startup-error.ts';
import type { Config } from '../config/config.ts';
import type { Parts } from '../house.ts';
import { rootRoute } from '../routes/operations/root.ts';
import { closePort } from './last-connections.ts';
import type { StopSignal } from './signals.ts';

/**
 * Threads for what else leaves the main one, such as DNS, files and WebCrypto, so that it never waits for a hash. Not more:
 * each that has ever hashed keeps the memory of a hash.
 */
const SPARE_THREADS = 1;

/** For how long the last answers may take. With the default delay it is less than the 10 s that Docker waits. */
const LONGEST_GOODBYE_MS = { SIGTERM: 4000, SIGINT: 500 };

/** What differs where several processes serve. */
interface WorkerSettings extends Required<Pick<Parts, 'primaryLimits' | 'siblings'>> {
  /** Stands in every line of the log. */
  worker: number;
  /** Ends when the primary has closed the port and every request has its answer. */
  portIsClosed: Promise<unknown>;
}

export interface Server {
  /** Where, such as `127.0.0.1:3000`; several where a name has several addresses. */
  listensOn: string[];
  /**
   * A stop without a failed request: not ready at once, so that the balancer looks elsewhere; serving until it has
   * noticed; then no new connection, and an end when the requests in flight have theirs. Ctrl-C does not wait.
   */
  stop(signal: StopSignal): Promise<void>;
}

/**
 * The server of one process, listening.
 * @param env the process's own: libuv reads the size of its pool there when the first work is given to it
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
      // A connection on which nothing was asked is no request in flight, and a browser opens some in advance.
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
