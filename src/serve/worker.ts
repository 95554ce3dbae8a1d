import cluster from 'node:cluster';
import { once } from 'node:events';
import type { Config } from '../config/config.ts';
import type { Revocation } from '../proofs/revocations/revocations.ts';
import { type FromPrimary, tellPrimary } from './messages.ts';
import { createPrimaryLimits } from './primary-limits.ts';
import { type Server, startServer } from './server.ts';
import { STOP_SIGNALS } from './signals.ts';

/** Serves in one of several processes. Node.js ends a worker with its primary. */
export async function serveWorker(config: Config, env: NodeJS.ProcessEnv): Promise<void> {
  // Ctrl-C and service managers signal every process of the group. The primary gets the signal too, and tells the workers
  // what to do.
  for (const signal of STOP_SIGNALS) process.on(signal, () => undefined);

  const primaryLimits = createPrimaryLimits();
  const listeners: ((revocation: Revocation) => void)[] = [];
  let server: Server | undefined;
  const starting = startServer(shareOf(config), env, {
    ...(cluster.worker && { worker: cluster.worker.id }),
    portIsClosed: once(process, 'disconnect'),
    primaryLimits: primaryLimits.limits,
    siblings: {
      tell: (revoked) => tellPrimary({ revoked }),
      onTold: (listener) => void listeners.push(listener),
    },
  });

  process.on('message', async (message: FromPrimary) => {
    if ('answerTo' in message) primaryLimits.answered(message);
    else if ('revoked' in message) for (const listener of listeners) listener(message.revoked);
    else {
      await server?.stop(message.stop); // a worker that still starts serves nobody
      process.exit(0);
    }
  });
  server = await starting;
  tellPrimary({ listensOn: server.listensOn });
}

/** All workers together hash on the cores of the machine. Each queue is as long in seconds as that of one process. */
export function shareOf(config: Config): Config {
  const { atOnce, queueSeconds } = config.passwords.hashing;
  const hashing = { atOnce: Math.ceil(atOnce / config.server.workers), queueSeconds };
  return { ...config, passwords: { ...config.passwords, hashing } };
}
