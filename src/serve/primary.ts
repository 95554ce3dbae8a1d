import cluster, { type Worker } from 'node:cluster';
import { setTimeout as sleep } from 'node:timers/promises';
import { openAttemptLimits } from '../attempts/open-limits.ts';
import { createFollowingClock, monotonicMs } from '../base/clock.ts';
import { createLogger } from '../base/logger.ts';
import type { Config } from '../config/config.ts';
import { createEvents } from '../events/events.ts';
import { logEvents } from '../events/log.ts';
import { openStores } from '../stores.ts';
import { greet } from './greeting.ts';
import { closePortOf } from './last-connections.ts';
import { type FromPrimary, type FromWorker, tellWorker } from './messages.ts';
import { answerAttempts } from './primary-limits.ts';
import { stopOnSignals } from './signals.ts';

/** A worker that ends sooner than this after its start makes the next wait longer. */
const EARLY_MS = 5000;
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 30_000;

/**
 * Serves nothing itself: prepares what the workers share, starts them, replaces those that end, and stops them all.
 * @throws StartupError
 */
export async function servePrimary(config: Config): Promise<void> {
  await prepare(config);
  const logger = await createLogger(config.log);
  const events = createEvents(logEvents(logger));
  const attemptLimits = await openAttemptLimits(config, events, monotonicMs);
  const running = new Set<Worker>();
  const serving = new Set<Worker>();
  let isStopping = false;
  let earlyEnds = 0;

  /** @param onListening called with its addresses when the worker listens, and again when one that replaces it does */
  function start(onListening: (listensOn: string[]) => void): void {
    if (isStopping) return;
    const worker = cluster.fork();
    const startedAt = performance.now();
    const answerAttempt = answerAttempts(attemptLimits, config.passwords.hashing.queueSeconds);
    running.add(worker);
    worker.on('message', async (message: FromWorker) => {
      if ('question' in message) tellWorker(worker, await answerAttempt(message));
      else if ('revoked' in message) tellOthers(worker, message);
      else {
        serving.add(worker);
        if (isStopping) worker.disconnect();
        onListening(message.listensOn);
      }
    });
    worker.once('exit', replace);
    worker.on('error', () => {
      // Else it is a message to one that has just ended.
      if (worker.process.pid === undefined) replace(null, null);
    });

    function replace(code: number | null, signal: string | null): void {
      running.delete(worker);
      const hasServed = serving.delete(worker);
      if (isStopping) return;
      if (!hasServed && serving.size === 0) giveUp(signal);
      earlyEnds = performance.now() - startedAt < EARLY_MS ? earlyEnds + 1 : 0;
      const delayMs = Math.min(FIRST_DELAY_MS * 2 ** earlyEnds, LONGEST_DELAY_MS);
      events.tell('worker.ended', { worker: worker.id, code, signal, replaced_in_ms: delayMs });
      setTimeout(() => start(onListening), delayMs);
    }
  }

  function tellOthers(worker: Worker, message: FromPrimary): void {
    for (const other of running) if (other !== worker) tellWorker(other, message);
  }

  stopOnSignals(async (signal) => {
    isStopping = true;
    const ends = [...running].map((worker) => new Promise((resolve) => worker.once('exit', resolve)));
    for (const worker of running) tellWorker(worker, { stop: signal });
    if (signal === 'SIGTERM') await sleep(config.server.shutdownDelaySeconds * 1000);
    await closePortOf(serving);
    await Promise.all(ends);
  });
  const started = () => new Promise<string[]>((resolve) => start(resolve));
  const listensOn = await started(); // alone, so that what keeps all of them from starting is told once
  await Promise.all(Array.from({ length: config.server.workers - 1 }, started));
  greet(config, listensOn);
}

/** What is created at a first start is created once, and a mistake in it is told once. */
async function prepare(config: Config): Promise<void> {
  const { directory } = await openStores(config, createFollowingClock());
  await directory.close();
}

/** A worker could not start and none serves. It has said why, unless it was killed. */
function giveUp(signal: string | null): never {
  if (signal) console.error(`idcard: A worker was ended by ${signal} before it served.`);
  process.exit(1);
}
