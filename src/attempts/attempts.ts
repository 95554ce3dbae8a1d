import type { HashQueue } from './hash-queue.ts';
import type { Attempt, AttemptLimits, LimitHeaders, Outcome } from './limits.ts';

/** An attempt, and who waits for its answer. */
export interface ReceivedAttempt extends Attempt {
  /** Aborts when the client goes away. */
  client: AbortSignal;
  /** Takes the header fields by which the answer tells the limit. The last call wins. */
  tell(headers: LimitHeaders): void;
}

/** What the work of an attempt is given, after the attempt was counted. */
interface CountedWork {
  /**
   * Runs what hashes a password, at once or when its turn comes. From then on the attempt is a failure, unless
   * `succeeded` is called.
   * @throws overloaded
   */
  inTurn<T>(hash: () => Promise<T>): Promise<T>;
  /** To be called when the attempt succeeded. */
  succeeded(): void;
  /**
   * Runs what may refuse a new password after it was judged. Judging takes milliseconds of the one thread that serves
   * everybody, so a refused attempt stays counted for the address.
   */
  judged(refuse: () => void): void;
}

export interface Attempts {
  /**
   * Counts an attempt, and only then runs its work: a refused attempt asks no directory and checks no proof. An attempt
   * that fails before its hash has begun is taken back. If it had a cost all the same, it stays counted for the address.
   * @throws tooManyRequests, overloaded
   */
  run<T>(attempt: ReceivedAttempt, work: (counted: CountedWork) => Promise<T>): Promise<T>;
  /** For a request whose body was not read yet: most requests of a flood end here. @throws overloaded */
  refuseWhenFull(): void;
}

export function createAttempts(limits: AttemptLimits, queue: HashQueue): Attempts {
  return {
    refuseWhenFull: queue.refuseWhenFull,
    async run({ address, account, device, client, tell }, work) {
      queue.refuseWhenFull();
      const counted = await limits.countAttempt({ address, account, device });
      tell(counted.headers);
      let outcome: Outcome | 'failed' = 'turned-away';
      try {
        return await work({
          inTurn: (hash) =>
            queue.run(() => {
              if (outcome === 'turned-away') outcome = 'failed';
              return hash();
            }, client),
          succeeded() {
            outcome = 'succeeded';
          },
          judged(refuse) {
            try {
              refuse();
            } catch (error) {
              if (outcome === 'turned-away') outcome = 'abandoned';
              throw error;
            }
          },
        });
      } finally {
        await end();
      }

      async function end(): Promise<void> {
        if (outcome === 'failed') return;
        const hasLeft = outcome === 'turned-away' && client.aborted;
        tell(await counted.end(hasLeft ? 'abandoned' : outcome));
      }
    },
  };
}
