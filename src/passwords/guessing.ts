import ipaddr from 'ipaddr.js';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { createBoundedMap } from '../bounded-map.ts';
import { tooManyRequests } from '../problems/catalogue.ts';

/** Slows down whoever guesses passwords, or makes this server hash them. */
export interface GuessLimits {
  /**
   * Counts an attempt before it reaches the hash, so that attempts made at once are all counted.
   * @throws tooManyRequests
   */
  count(address: string, account: string): Promise<CountedAttempt>;
}

/** What an attempt can turn out to be, other than a wrong guess, which stays counted. */
export interface CountedAttempt {
  /** Right: guesses at the account are forgotten, and the network is known from now on. */
  succeeded(): Promise<void>;
  /** Sent away before the hash. */
  turnedAway(): Promise<void>;
  /** Given up by its client before the hash: no guess, but it held a place, so the address answers for it. */
  abandoned(): Promise<void>;
}

interface Pace {
  /** Attempts without any delay. */
  free: number;
  /** The delay doubles with each attempt beyond, from one second up to this. Never longer: no permanent lock. */
  longestDelaySeconds: number;
  /** So long after the first attempt, the count starts again. */
  forgetAfterSeconds: number;
}

/** 10 free guesses and 13 more until the delay is an hour, one an hour from then on: fewer than 50 a day. */
const PER_ACCOUNT: Pace = { free: 10, longestDelaySeconds: 3600, forgetAfterSeconds: 86_400 };
/** Many honest users may share an address. */
const PER_ADDRESS: Pace = { free: 100, longestDelaySeconds: 300, forgetAfterSeconds: 3600 };

/**
 * How many accounts and how many addresses are counted at once; those without an attempt for the longest time are
 * forgotten. To have one account forgotten, an attacker needs attempts at as many others that all reach the hash:
 * ten minutes of two cores, from 500 networks within the hour, for eleven guesses.
 */
const MAX_COUNTS = 50_000;
/** How many pairs of a user and a network from which they logged in are kept in mind. */
const KNOWN_NETWORKS = 20_000;

export function createGuessLimits(): GuessLimits {
  const addresses = createLimit('address', PER_ADDRESS);
  const accounts = createLimit('account', PER_ACCOUNT);
  const known = createBoundedMap<true>(KNOWN_NETWORKS);
  return {
    async count(address, account) {
      const network = networkOf(address);
      const ownCount = `${account} ${network}`;
      // Where a user has logged in before, they are counted apart: a stranger's guesses do not keep them out.
      const counted = known.get(ownCount) ? ownCount : account;
      await addresses.count(network);
      try {
        await accounts.count(counted);
      } catch (error) {
        await addresses.takeBack(network);
        throw error;
      }
      return {
        async succeeded() {
          known.set(ownCount, true);
          await Promise.all([addresses.takeBack(network), accounts.forget(counted)]);
        },
        async turnedAway() {
          await Promise.all([addresses.takeBack(network), accounts.takeBack(counted)]);
        },
        abandoned: () => accounts.takeBack(counted),
      };
    },
  };
}

const counted = { succeeded: async () => {}, turnedAway: async () => {}, abandoned: async () => {} };
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

function createLimit(name: string, { free, longestDelaySeconds, forgetAfterSeconds }: Pace) {
  const attempts = new RateLimiterMemory({
    keyPrefix: `${name}-attempts`,
    points: Number.MAX_SAFE_INTEGER,
    duration: forgetAfterSeconds,
  });
  /** Holds a key for as long as its next attempt has to wait. */
  const delays = new RateLimiterMemory({
    keyPrefix: `${name}-delay`,
    points: 1,
    duration: longestDelaySeconds,
  });

  /** In the order of their last attempt. */
  const keys = new Set<string>();

  async function remember(key: string): Promise<void> {
    keys.delete(key);
    keys.add(key);
    if (keys.size <= MAX_COUNTS) return;
    const [oldest = key] = keys;
    await forget(oldest);
  }

  async function forget(key: string): Promise<void> {
    keys.delete(key);
    await Promise.all([attempts.delete(key), delays.delete(key)]);
  }

  async function takeBack(key: string): Promise<void> {
    const { consumedPoints } = await attempts.reward(key);
    if (consumedPoints <= 0) await forget(key);
    else await delays.delete(key); // the one before it is over, or this attempt would not have been counted
  }

  return {
    /** @throws tooManyRequests */
    async count(key: string): Promise<void> {
      await remember(key);
      const { consumedPoints } = await attempts.penalty(key);
      if (consumedPoints <= free) return;
      const delaySeconds = Math.min(2 ** Math.min(consumedPoints - free - 1, 30), longestDelaySeconds);
      try {
        await delays.consume(key, 1, { customDuration: delaySeconds });
      } catch (rejection) {
        await attempts.reward(key);
        if (!(rejection instanceof RateLimiterRes)) throw rejection;
        throw tooManyRequests({ retryAfterSeconds: Math.max(1, Math.ceil(rejection.msBeforeNext / 1000)) });
      }
    },
    takeBack,
    forget,
  };
}
