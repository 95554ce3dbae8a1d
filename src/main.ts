import { flushCompileCache } from 'node:module';
import { readConfig, refuseUndecided } from './config/config.ts';
import { greet } from './serve/greeting.ts';
import { stopOnSignals, stopWithNpm } from './serve/signals.ts';

/**
 * Serves as a process: reads the environment, listens, and stops at a signal.
 * @param env the process's own
 * @throws StartupError
 */
export async function serve(env: NodeJS.ProcessEnv): Promise<void> {
  const config = readConfig(env);
  refuseUndecided(config);
  if (config.server.workers > 1) {
    const { serveFromWorkers } = await import('./serve/workers.ts');
    return serveFromWorkers(config, env);
  }
  stopWithNpm(env);
  const { startServer } = await import('./serve/server.ts'); // the primary of several workers does not need the server
  const server = await startServer(config, env);
  stopOnSignals(server.stop);
  greet(config, server.listensOn);
  flushCompileCache(); // without this, only a clean end would keep what was compiled for the next start
}
