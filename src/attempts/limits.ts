import { randomInt } from 'node:crypto';
import ipaddr from 'ipaddr.js';
import { tooManyRequests } from '../problems/catalogue.ts';
import { type Count, type CountStore, PACES, type Tally } from './count-store.ts';
import { createMemoryStore } from './memory-store.ts';

/** Slows down whoever guesses passwords, or makes this server hash them. */
export interface AttemptLimits {
  /**
   * Counts an attempt before it reaches the hash, so that attempts made at once are all counted.
   * @param device one that the account was logged in to from: counted apart from strangers
   * @throws tooManyRequests
   */
  count(address: string, account: string, device?: string): Promise<CountedAttempt>;
  /** Lets go of what is held outside of this process. */
  close?(): void;
}

/** What an attempt can turn out to be, other than a wrong guess, which stays counted. */
export interface CountedAttempt {
  /** As it stands while this attempt is counted. */
  headers: LimitHeaders;
  /**
   * A success, or sent away before the hash: as if it had not been made. No success makes others forgotten, since whoever
   * guesses could see by that that there is somebody who logs in.
   */
  takenBack(): Promise<LimitHeaders>;
  /** Ended before the hash, but not without cost, such as a place that was held: no guess, but the address answers for it. */
  abandoned(): Promise<LimitHeaders>;
}

/** Header fields that tell a client how much of its limit is left. */
export type LimitHeaders = Record<string, string>;

const ATTEMPT_IDS = 2 ** 48 - 1;
const NOT_COUNTED: Tally = { remaining: 0, resetSeconds: 0, waitSeconds: 0 };

export function createAttemptLimits(store: CountStore = createMemoryStore()): AttemptLimits {
  return {
    async count(address, account, device) {
      const attempt = randomInt(1, ATTEMPT_IDS);
      const networks = networksOf(address);
      const ofAccount = countsOf(account, device);
      const all = [...networks, ...ofAccount];
      const tallies = await store.count(attempt, all);
      const [atAddress = NOT_COUNTED] = tallies;
      const waitSeconds = Math.max(...tallies.map((tally) => tally.waitSeconds));
      if (waitSeconds > 0) throw refusal(waitSeconds, atAddress);
      return {
        headers: limitHeaders(atAddress),
        async takenBack() {
          const [tally = NOT_COUNTED] = await store.takeBack(attempt, all);
          return limitHeaders(tally);
        },
        async abandoned() {
          await store.takeBack(attempt, ofAccount);
          return limitHeaders(atAddress);
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

const silent = async (): Promise<LimitHeaders> => ({});
const counted = { headers: {}, takenBack: silent, abandoned: silent };
export const noAttemptLimits: AttemptLimits = { count: async () => counted };

function countsOf(account: string, device: string | undefined): Count[] {
  if (device === undefined) return [{ kind: 'account', name: account }];
  return [
    { kind: 'account', name: `device ${device}` },
    { kind: 'devices', name: account },
  ];
}

/** Where an attempt at the hash comes from: an IPv4 address, or the networks of an IPv6 address, the smallest first. */
export function networksOf(address: string): Count[] {
  const parsed = ipaddr.isValid(address) ? ipaddr.process(address) : undefined;
  if (!(parsed instanceof ipaddr.IPv6)) return [{ kind: 'address', name: parsed?.toString() ?? address }];
  // RFC 6052: to an IPv6-only server, a translator shows each IPv4 client as one of these, and so all of them in one /64.
  if (parsed.match(WELL_KNOWN_PREFIX, 96)) {
    return [{ kind: 'address', name: new ipaddr.IPv4(parsed.toByteArray().slice(12)).toString() }];
  }
  return [
    { kind: 'address', name: prefixOf(parsed, 64) },
    { kind: 'home', name: prefixOf(parsed, 56) },
    { kind: 'site', name: prefixOf(parsed, 48) },
  ];
}

const WELL_KNOWN_PREFIX = ipaddr.IPv6.parse('64:ff9b::');

/** @param bits a multiple of 8, and 64 at most */
function prefixOf({ parts }: ipaddr.IPv6, bits: number): string {
  return parts
    .slice(0, 4)
    .map((group, index) => (group & (0xffff << Math.max(0, 16 * (index + 1) - bits))).toString(16))
    .join(':');
}
