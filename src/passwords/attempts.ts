import type { Admission } from './admission.ts';
import type { GuessLimits, LimitHeaders } from './guessing.ts';

export interface Attempt {
  address: string;
  account: string;
  /** Aborts when the client goes away. */
  client: AbortSignal;
  /** Takes what the answer is to say about the limit; the last word counts. */
  tell(headers: LimitHeaders): void;
}

export interface Attempts {
  /**
   * Runs what hashes a password for a client: counted as a guess first, then in its turn.
   * @param work is given what to call when it was no guess but a success
   * @throws tooManyRequests, overloaded
   */
  run<T>(attempt: Attempt, work: (succeeded: () => Promise<void>) => Promise<T>): Promise<T>;
  /** For a request of which nothing was read yet: most of a flood ends here. @throws overloaded */
  refuseWhenFull(): void;
}

export function createAttempts(guessLimits: GuessLimits, admission: Admission): Attempts {
  return {
    refuseWhenFull: admission.refuseWhenFull,
    async run({ address, account, client, tell }, work) {
      const counted = await guessLimits.count(address, account);
      tell(counted.headers);
      const succeeded = async () => tell(await counted.succeeded());
      let hasBegun = false;
      try {
        return await admission.run(() => {
          hasBegun = true;
          return work(succeeded);
        }, client);
      } catch (error) {
        if (!hasBegun) tell(await (client.aborted ? counted.abandoned() : counted.turnedAway()));
        throw error;
      }
    },
  };
}
