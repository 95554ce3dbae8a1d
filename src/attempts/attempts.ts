import { invalidRequest, weakPassword } from '../problems/catalogue.ts';
import { Problem } from '../problems/problem.ts';
import type { HashQueue } from './hash-queue.ts';
import type { AttemptLimits, LimitHeaders } from './limits.ts';

export interface Attempt {
  address: string;
  account: string;
  /** One that the account was logged in to from. */
  device?: string | undefined;
  /** Aborts when the client goes away. */
  client: AbortSignal;
  /** Takes what the answer is to say about the limit; the last word counts. */
  tell(headers: LimitHeaders): void;
}

/** What an attempt is given once it was counted. */
interface CountedWork {
  /** Runs what hashes a password, at once or when its turn comes. @throws overloaded */
  inTurn<T>(hash: () => Promise<T>): Promise<T>;
  /** To be called when it was no guess but a success. */
  succeeded(): Promise<void>;
}

export interface Attempts {
  /**
   * Counts an attempt as a guess, and only then lets it begin: what is refused has asked no directory and checked no proof.
   * What fails before its hash has begun was no guess; for what costs all the same, the address answers.
   * @throws tooManyRequests, overloaded
   */
  run<T>(attempt: Attempt, work: (counted: CountedWork) => Promise<T>): Promise<T>;
  /** For a request of which nothing was read yet: most of a flood ends here. @throws overloaded */
  refuseWhenFull(): void;
}

export function createAttempts(attemptLimits: AttemptLimits, hashQueue: HashQueue): Attempts {
  return {
    refuseWhenFull: hashQueue.refuseWhenFull,
    async run({ address, account, device, client, tell }, work) {
      hashQueue.refuseWhenFull();
      const counted = await attemptLimits.count(address, account, device);
      tell(counted.headers);
      let hasBegun = false;
      try {
        return await work({
          succeeded: async () => tell(await counted.takenBack()),
          inTurn: (hash) =>
            hashQueue.run(() => {
              hasBegun = true;
              return hash();
            }, client),
        });
      } catch (error) {
        const hasCost = client.aborted || wasJudged(error);
        if (!hasBegun) tell(await (hasCost ? counted.abandoned() : counted.takenBack()));
        throw error;
      }
    },
  };
}

/** To judge a password takes milliseconds of the one thread that serves everybody, the rest of the form being right or not. */
function wasJudged(error: unknown): boolean {
  return error instanceof Problem && [weakPassword.kind, invalidRequest.kind].includes(error.kind);
}
