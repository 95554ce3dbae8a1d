import type { HashQueue } from './hash-queue.ts';
import type { Attempt, AttemptLimits, LimitHeaders, Outcome } from './limits.ts';

/** An attempt, and who waits for its answer. */
export interface ReceivedAttempt extends Attempt {
  /** Aborts when the client goes away. */
  client: AbortSignal;
  /** Takes what the answer is to say about the limit; the last word counts. */
  tell(headers: LimitHeaders): void;
}

/** What an attempt is given once it was counted. */
interface CountedWork {
  /** Runs what hashes a password, at once or when its turn comes: from then on the attempt is a failure. @throws overloaded */
  inTurn<T>(hash: () => Promise<T>): Promise<T>;
  /** To be called when it was no failure. */
  succeeded(): void;
  /**
   * Runs what may refuse a password that was judged. To judge one takes milliseconds of the one thread that serves everybody:
   * the address of what is refused answers for that.
   */
  judged(refuse: () => void): void;
}

export interface Attempts {
  /**
   * Counts an attempt, and only then lets it begin: what is refused has asked no directory and checked no proof. What fails
   * before its hash has begun is taken back; for what costs all the same, the address answers.
   * @throws tooManyRequests, overloaded
   */
  run<T>(attempt: ReceivedAttempt, work: (counted: CountedWork) => Promise<T>): Promise<T>;
  /** For a request of which nothing was read yet: most of a flood ends here. @throws overloaded */
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
