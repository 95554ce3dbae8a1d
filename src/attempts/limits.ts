import { randomInt } from 'node:crypto';
import { type Count, type CountStore, PACES, type Tally } from './count-store.ts';
import { networksOf } from './networks.ts';
import { tooManyRequests } from './problems.ts';

/** Slows down whoever tries one password after the other, or makes this server hash them. */
export interface AttemptLimits {
  /**
   * Counts an attempt before it reaches the hash, so that attempts made at once are all counted.
   * @throws tooManyRequests
   */
  countAttempt(attempt: Attempt): Promise<CountedAttempt>;
  /** Lets go of what is held outside of this process. */
  close?(): void;
}

export interface Attempt {
  address: string;
  account: string;
  /** One that the account was logged in to from: it is counted apart from strangers. */
  device?: string | undefined;
}

export interface CountedAttempt {
  /** As the limit stands while this attempt is counted. */
  headers: LimitHeaders;
  /** Says, once, what the attempt turned out to be. Of one that failed nothing is said: it stays counted. */
  end(outcome: Outcome): Promise<LimitHeaders>;
}

/**
 * What an attempt can turn out to be, other than a failure:
 * - `succeeded`: as if it had not been made. No success makes other attempts forgotten, since whoever makes those could see by
 *   that that there is somebody who logs in.
 * - `turned-away`: it ended before its hash and without cost, as if it had not been made.
 * - `abandoned`: it ended before its hash, but not without cost, such as a place that was held. The address answers for it,
 *   and the account does not.
 */
export type Outcome = 'succeeded' | 'turned-away' | 'abandoned';

/** Header fields that tell a client how much of its limit is left. */
export type LimitHeaders = Record<string, string>;

const ATTEMPT_IDS = 2 ** 48 - 1;
const NOT_COUNTED: Tally = { remaining: 0, resetSeconds: 0, waitSeconds: 0 };

export function createAttemptLimits(store: CountStore): AttemptLimits {
  return {
    async countAttempt({ address, account, device }) {
      const attempt = randomInt(1, ATTEMPT_IDS);
      const ofNetworks = networksOf(address);
      const ofAccount = countsOf(account, device);
      const all = [...ofNetworks, ...ofAccount];
      const tallies = await store.add(attempt, all);
      const [atAddress = NOT_COUNTED] = tallies;
      const waitSeconds = Math.max(...tallies.map((tally) => tally.waitSeconds));
      if (waitSeconds > 0) throw refusal(waitSeconds, atAddress);
      const headers = limitHeaders(atAddress);
      return {
        headers,
        async end(outcome) {
          if (outcome === 'abandoned') {
            await store.takeBack(attempt, ofAccount);
            return headers;
          }
          const [tally = NOT_COUNTED] = await store.takeBack(attempt, all);
          return limitHeaders(tally);
        },
      };
    },
  };
}

function refusal(retryAfterSeconds: number, { remaining, waitSeconds }: Tally) {
  // Of what else refuses there is no window to tell: Retry-After must not be earlier than what RateLimit says.
  const headers = limitHeaders(
    waitSeconds > 0 ? { remaining: 0, resetSeconds: retryAfterSeconds } : { remaining },
  );
  return tooManyRequests({ retryAfterSeconds, headers });
}

/**
 * `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers), of the client's own address alone: what is left of
 * an account's would tell a stranger whether somebody tries to log in there, and of a larger network's, what its neighbours do.
 */
function limitHeaders({ remaining, resetSeconds }: Pick<Tally, 'remaining'> & Partial<Tally>): LimitHeaders {
  const { free, forgetAfterSeconds } = PACES.address;
  return {
    'ratelimit-policy': `"address";q=${free};w=${forgetAfterSeconds}`,
    ratelimit: `"address";r=${remaining}${resetSeconds === undefined ? '' : `;t=${resetSeconds}`}`,
  };
}

export const noAttemptLimits: AttemptLimits = {
  countAttempt: async () => ({ headers: {}, end: async () => ({}) }),
};

function countsOf(account: string, device: string | undefined): Count[] {
  if (device === undefined) return [{ kind: 'account', name: account }];
  return [
    { kind: 'account', name: `device ${device}` },
    { kind: 'devices', name: account },
  ];
}
