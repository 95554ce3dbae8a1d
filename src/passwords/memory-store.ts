import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { createBoundedMap } from '../bounded-map.ts';
import {
  admitted,
  type GuessStore,
  type KnownNetworks,
  type Limit,
  type Pace,
  PER_ACCOUNT,
  PER_ADDRESS,
  type Tally,
} from './guess-store.ts';

/**
 * How many accounts and how many addresses are counted at once; those without an attempt for the longest time are
 * forgotten. To have one account forgotten, an attacker needs attempts at as many others that all reach the hash:
 * ten minutes of two cores, from 500 networks within the hour, for eleven guesses.
 */
const MAX_COUNTS = 50_000;
/** How many pairs of a user and a network from which they logged in are kept in mind. */
const KNOWN_NETWORKS = 20_000;

/** Counts in this process. */
export function createMemoryStore(): GuessStore {
  return {
    addresses: createLimit('address', PER_ADDRESS),
    accounts: createLimit('account', PER_ACCOUNT),
    known: createKnownNetworks(),
  };
}

function createKnownNetworks(): KnownNetworks {
  const pairs = createBoundedMap<true>(KNOWN_NETWORKS);
  return {
    has: async (pair) => pairs.get(pair) !== undefined,
    add: async (pair) => pairs.set(pair, true),
  };
}

function createLimit(name: string, pace: Pace): Limit {
  const { free, longestDelaySeconds, forgetAfterSeconds } = pace;
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

  return {
    async count(key): Promise<Tally> {
      await remember(key);
      const { consumedPoints, msBeforeNext } = await attempts.penalty(key);
      if (consumedPoints <= free) return admitted(pace, consumedPoints, msBeforeNext);
      const delaySeconds = Math.min(2 ** Math.min(consumedPoints - free - 1, 30), longestDelaySeconds);
      try {
        await delays.consume(key, 1, { customDuration: delaySeconds });
        return { remaining: 0, resetSeconds: delaySeconds, isRefused: false };
      } catch (rejection) {
        await attempts.reward(key);
        if (!(rejection instanceof RateLimiterRes)) throw rejection;
        const waitSeconds = Math.max(1, Math.ceil(rejection.msBeforeNext / 1000));
        return { remaining: 0, resetSeconds: waitSeconds, isRefused: true };
      }
    },
    async takeBack(key) {
      const { consumedPoints, msBeforeNext } = await attempts.reward(key);
      if (consumedPoints <= 0) await forget(key);
      else await delays.delete(key); // the one before it is over, or this attempt would not have been counted
      return admitted(pace, consumedPoints, msBeforeNext);
    },
    forget,
  };
}
