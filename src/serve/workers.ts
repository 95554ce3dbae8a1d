import cluster from 'node:cluster';
import type { Config } from '../config/config.ts';
import { stopWithNpm } from './signals.ts';

/** Serves from several processes on one port. The primary and each worker that it forks run the same command. */
export async function serveFromWorkers(config: Config, env: NodeJS.ProcessEnv): Promise<void> {
  if (cluster.isPrimary) {
    stopWithNpm(env);
    const { servePrimary } = await import('./primary.ts');
    return servePrimary(config);
  }
  const { serveWorker } = await import('./worker.ts');
  return serveWorker(config, env);
}
