import { flushCompileCache } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { buildApp, type IdcardApp } from './app.ts';
import { systemClock } from './clock.ts';
import { type Config, readConfig } from './config.ts';
import { createHasher } from './passwords/hasher.ts';
import type { Lifecycle } from './routes/dependencies.ts';
import { StartupError } from './startup-error.ts';
import { loadKeySet } from './tokens/load-key-set.ts';
import { openDatabase } from './users/databases/index.ts';
import { createDirectory } from './users/directory.ts';

/** Threads for what else leaves the main one, such as DNS, files and WebCrypto, so that it never waits for a hash. */
const SPARE_THREADS = 2;

/**
 * The process: environment in, listening server out, signals.
 * @param env the process's own: libuv reads the size of its pool there when the first work is given to it
 * @throws StartupError
 */
export async function serve(env: NodeJS.ProcessEnv): Promise<void> {
  const config = readConfig(env);
  env.UV_THREADPOOL_SIZE ||= String(config.passwordHashing.atOnce + SPARE_THREADS);
  const clock = systemClock;
  const keySet = loadKeySet(config, clock);
  const directory = createDirectory(await openDatabase(config.databaseUrl, config.databasePoolSize), clock);
  const lifecycle: Lifecycle = { stopping: false };
  const app = await buildApp({
    config,
    keySet,
    directory,
    hasher: createHasher(config.argon2),
    clock,
    logger: pino({ level: config.logLevel, base: null }),
    lifecycle,
  });
  app.addHook('onClose', () => directory.close());
  await listen(app, config);
  stopOnSignals(app, config, lifecycle);
  greet(config);
  flushCompileCache(); // else only a clean end would keep what was compiled for the next start
}

async function listen(app: IdcardApp, { host, port }: Config): Promise<void> {
  try {
    await app.listen({ host, port, listenTextResolver: () => 'server.listening' });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    const reason =
      code === 'EADDRINUSE'
        ? 'is already in use: stop the other process, or set PORT to a free one'
        : `cannot be used (${code}): set HOST and PORT to an address of this machine`;
    throw new StartupError(`The address ${host}:${port} ${reason}.`, { cause });
  }
}

/** For how long the last answers may take. With the default delay it is less than the 10 s that Docker waits. */
const LONGEST_GOODBYE_MS = { SIGTERM: 4000, SIGINT: 500 };

/**
 * A stop without a failed request: not ready at once, so that the balancer looks elsewhere; serving until it has
 * noticed; then no new connection, and an end when the requests in flight have theirs. Ctrl-C does not wait.
 */
function stopOnSignals(app: IdcardApp, { shutdownDelaySeconds }: Config, lifecycle: Lifecycle): void {
  async function stop(signal: 'SIGTERM' | 'SIGINT'): Promise<void> {
    if (lifecycle.stopping) process.exit(1); // asked twice: at once
    lifecycle.stopping = true;
    app.log.info({ event: 'server.stopping', signal });
    if (signal === 'SIGTERM') await sleep(shutdownDelaySeconds * 1000);
    // A connection on which nothing was asked is no request in flight, and a browser opens some in advance.
    await Promise.race([app.close(), sleep(LONGEST_GOODBYE_MS[signal])]);
    process.exit(0);
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);
}

/** On standard error, since standard output holds the log, one JSON object a line. */
function greet({ publicUrl, passwordMinLength }: Config): void {
  const user = `'{"email":"ada@example.com","password":"${'violet otters play chess'.padEnd(passwordMinLength, '!')}"}'`;
  const curl = (path: string) => `  curl ${publicUrl}${path} -H 'Content-Type: application/json' -d ${user}`;
  console.error(
    [
      `idcard serves on ${publicUrl}`,
      'A user, and their first token:',
      curl('/v1/register'),
      curl('/v1/login'),
    ].join('\n'),
  );
}
