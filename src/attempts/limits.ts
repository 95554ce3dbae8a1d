import { randomInt } from 'node:crypto';
import { type Count, type CountStore, PACES, type Tally } from './count-store.ts';
import { networksOf } from './networks.ts';
import { tooManyRequests } from './problems.ts';

/** Slows down clients that try one password after the other, or that make this server hash many passwords. */
export interface AttemptLimits {
  /**
   * Counts an attempt before it reaches the hash, so that attempts made at once are all counted.
   * @throws tooManyRequests
   */
  countAttempt(attempt: Attempt): Promise<CountedAttempt>;
  /** Closes connections to other programs, such as Redis. */
  close?(): void;
}

export interface Attempt {
  address: string;
  account: string;
  /** A device from which the account was logged in to. Its attempts are counted apart from those of strangers. */
  device?: string | undefined;
}

export interface CountedAttempt {
  /** The limit, with this attempt counted. */
  headers: LimitHeaders;
  /** To be called once, with what the attempt turned out to be. It is not called for a failure: a failure stays counted. */
  end(outcome: Outcome): Promise<LimitHeaders>;
}

/**
 * What an attempt can turn out to be, other than a failure:
 * - `succeeded`: the attempt is taken back. Other attempts stay counted: if a success cleared them, an attacker could see
 *   that somebody logs in to the account.
 * - `turned-away`: the attempt ended before its hash and cost nothing. It is taken back.
 * - `abandoned`: the attempt ended before its hash, but had a cost, such as a place in the queue. It stays counted for
 *   the address, and is taken back for the account.
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
  // Where another count refuses, RateLimit has no `t`: the window of the address may end after Retry-After, which must
  // not be earlier than what RateLimit says.
  const headers = limitHeaders(
    waitSeconds > 0 ? { remaining: 0, resetSeconds: retryAfterSeconds } : { remaining },
  );
  return tooManyRequests({ retryAfterSeconds, headers });
}

/**
 * `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers) for the client's own address alone. The count
 * of an account would tell strangers whether somebody tries to log in there. The count of a larger network would tell
 * what neighbours do.
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
