import ipaddr from 'ipaddr.js';
import { tooManyRequests } from '../problems/catalogue.ts';
import { type GuessStore, PER_ADDRESS, type Tally } from './guess-store.ts';
import { createMemoryStore } from './memory-store.ts';

/** Slows down whoever guesses passwords, or makes this server hash them. */
export interface GuessLimits {
  /**
   * Counts an attempt before it reaches the hash, so that attempts made at once are all counted.
   * @throws tooManyRequests
   */
  count(address: string, account: string): Promise<CountedAttempt>;
  /** Lets go of what is held outside of this process. */
  close?(): void;
}

/** What an attempt can turn out to be, other than a wrong guess, which stays counted. */
export interface CountedAttempt {
  /** As it stands while this attempt is counted. */
  headers: LimitHeaders;
  /** Right: guesses at the account are forgotten, and the network is known from now on. */
  succeeded(): Promise<LimitHeaders>;
  /** Sent away before the hash. */
  turnedAway(): Promise<LimitHeaders>;
  /** Given up by its client before the hash: no guess, but it held a place, so the address answers for it. */
  abandoned(): Promise<LimitHeaders>;
}

/** Header fields that tell a client how much of its limit is left. */
export type LimitHeaders = Record<string, string>;

export function createGuessLimits(store: GuessStore = createMemoryStore()): GuessLimits {
  const { addresses, accounts, known } = store;
  return {
    async count(address, account) {
      const network = networkOf(address);
      const ownCount = `${account} ${network}`;
      const [isKnown, atAddress] = await Promise.all([known.has(ownCount), addresses.count(network)]);
      if (atAddress.isRefused) throw refusal(atAddress.resetSeconds, limitHeaders(atAddress));
      // Where a user has logged in before, they are counted apart: a stranger's guesses do not keep them out.
      const counted = isKnown ? ownCount : account;
      const atAccount = await accounts.count(counted);
      if (atAccount.isRefused) {
        // Without its window: Retry-After is for the account, and must not be earlier than what RateLimit says.
        const { remaining } = await addresses.takeBack(network);
        throw refusal(atAccount.resetSeconds, limitHeaders({ remaining }));
      }
      return {
        headers: limitHeaders(atAddress),
        async succeeded() {
          const [tally] = await Promise.all([
            addresses.takeBack(network),
            accounts.forget(counted),
            known.add(ownCount),
          ]);
          return limitHeaders(tally);
        },
        async turnedAway() {
          const [tally] = await Promise.all([addresses.takeBack(network), accounts.takeBack(counted)]);
          return limitHeaders(tally);
        },
        async abandoned() {
          await accounts.takeBack(counted);
          return limitHeaders(atAddress);
        },
      };
    },
  };
}

function refusal(retryAfterSeconds: number, headers: LimitHeaders) {
  return tooManyRequests({ retryAfterSeconds, headers });
}

/**
 * `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers), of the client's own address alone: what is left of
 * an account's would tell a stranger whether somebody has logged in there lately, and so that there is somebody.
 */
function limitHeaders({ remaining, resetSeconds }: Pick<Tally, 'remaining'> & Partial<Tally>): LimitHeaders {
  const { free, forgetAfterSeconds } = PER_ADDRESS;
  return {
    'ratelimit-policy': `"address";q=${free};w=${forgetAfterSeconds}`,
    ratelimit: `"address";r=${remaining}${resetSeconds === undefined ? '' : `;t=${resetSeconds}`}`,
  };
}

const silent = async (): Promise<LimitHeaders> => ({});
const counted = { headers: {}, succeeded: silent, turnedAway: silent, abandoned: silent };
export const noGuessLimits: GuessLimits = { count: async () => counted };

/** What one attacker commands: an IPv4 address, or the /64 network of an IPv6 address (RFC 6177). */
export function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address); // ::ffff:192.0.2.1, however it is spelled, is 192.0.2.1
  if (parsed instanceof ipaddr.IPv4) return parsed.toString();
  return parsed.parts
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':');
}
