import { overloaded } from './problems.ts';

/** In front of the password hash: as many at once as the machine can work on, and a short queue for the others. */
export interface HashQueue {
  /**
   * Runs work that hashes, at once or when its turn comes, first come, first served. It may hash several times.
   * @param client aborts when nobody waits for the answer any more: work that has not begun then never does
   * @throws overloaded before the work has begun: when its turn would come too late, or did not come in time
   */
  run<T>(work: () => Promise<T>, client: AbortSignal): Promise<T>;
  /** @throws overloaded when work that came now would be refused for a queue that is too long */
  refuseWhenFull(): void;
}

export interface HashQueueOptions {
  /** Hashes at once. */
  atOnce: number;
  /** For how long work may wait for its turn. */
  queueSeconds: number;
}

/** Bounds the memory of a queue whose hashes are quick; what waits is a request of about 20 kB. */
const MAX_WAITING = 2000;
/** What a hash is taken to need until some have been measured. */
const UNMEASURED_SECONDS = 0.05;
/** How much of the time may be promised: hashes that take longer than the last ones leave nobody waiting for a refusal. */
const FILLED = 0.8;
/** How many measurements the average looks back on, more or less. */
const AVERAGE_OVER = 16;

export function createHashQueue({ atOnce, queueSeconds }: HashQueueOptions): HashQueue {
  /** In the order of arrival. Each begins its work; none is here while a place is free. */
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

  /** Hands the place on. Only the work itself gives it up: a hash goes on when its client has left. */
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
