import { overloaded } from './problems.ts';

/** Runs as many password hashes at once as the machine can work on. The others wait in a short queue. */
export interface HashQueue {
  /**
   * Runs work that hashes, at once or when its turn comes, first come, first served. The work may hash several times.
   * @param client aborts when nobody waits for the answer any more; work that has not begun by then never begins
   * @throws overloaded before the work has begun: when its turn would come too late, or did not come in time
   */
  run<T>(work: () => Promise<T>, client: AbortSignal): Promise<T>;
  /** @throws overloaded when the queue is too long for new work */
  refuseWhenFull(): void;
}

export interface HashQueueOptions {
  /** How many hashes run at once. */
  atOnce: number;
  /** How long work may wait for its turn. */
  queueSeconds: number;
}

/** Bounds the memory of a queue with quick hashes. A waiting request takes about 20 kB. */
const MAX_WAITING = 2000;
/** How long a hash is assumed to take until hashes have been measured. */
const UNMEASURED_SECONDS = 0.05;
/**
 * The share of `queueSeconds` that is given out. The rest is for hashes that take longer than the last ones: else work
 * would wait, and be refused after the wait.
 */
const FILLED = 0.8;
/** About how many measurements the average covers. */
const AVERAGE_OVER = 16;

export function createHashQueue({ atOnce, queueSeconds }: HashQueueOptions): HashQueue {
  /** Functions that begin the waiting work, in the order of arrival. There are none while a place is free. */
  const waiting = new Set<() => void>();
  let running = 0;
  let averageSeconds = UNMEASURED_SECONDS;

  async function enter(client: AbortSignal): Promise<void> {
    if (client.aborted) throw refusal();
    if (running < atOnce) {
      running++;
      return;
    }
    refuseWhenFull();
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(giveUp, queueSeconds * 1000);
      client.addEventListener('abort', giveUp);
      waiting.add(begin);

      function begin(): void {
        leaveQueue();
        resolve();
      }
      function giveUp(): void {
        leaveQueue();
        reject(refusal());
      }
      function leaveQueue(): void {
        waiting.delete(begin);
        clearTimeout(timer);
        client.removeEventListener('abort', giveUp);
      }
    });
  }

  function refuseWhenFull(): void {
    if (waiting.size >= MAX_WAITING || secondsToDrain() > FILLED * queueSeconds) throw refusal();
  }

  /** Hands the place to the next in the queue. Work holds its place until it ends: a hash goes on after its client has left. */
  function leave(): void {
    const [next] = waiting;
    if (next) next();
    else running--;
  }

  function secondsToDrain(): number {
    return (waiting.size * averageSeconds) / atOnce;
  }

  function refusal() {
    return overloaded({ retryAfterSeconds: Math.max(1, Math.ceil(secondsToDrain())) });
  }

  return {
    refuseWhenFull,
    async run(work, client) {
      await enter(client);
      const start = performance.now();
      try {
        return await work();
      } finally {
        averageSeconds += ((performance.now() - start) / 1000 - averageSeconds) / AVERAGE_OVER;
        leave();
      }
    },
  };
}
