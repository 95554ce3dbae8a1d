import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import {
  admitted,
  type GuessStore,
  type KnownNetworks,
  type Limit,
  type Pace,
  PER_ACCOUNT,
  PER_ADDRESS,
} from './guess-store.ts';
import { inTime } from './in-time.ts';

/** How long Redis has for an answer. */
const ANSWER_MS = 300;
/** As long as a login can be renewed, with the default settings. */
const KNOWN_SECONDS = 2_592_000;

/**
 * Counts an attempt, unless it has to wait. A script, since Redis runs it as a whole: between two commands, attempts at other
 * replicas would see the count with those that are refused.
 */
const COUNT = `
local free, longest, forgetAfter = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local made = (redis.call('GET', KEYS[1]) or 0) + 1
if made > free then
  local wait = redis.call('PTTL', KEYS[2])
  if wait > 0 then return { made - 1, wait, 1 } end
end
if redis.call('INCR', KEYS[1]) == 1 then redis.call('EXPIRE', KEYS[1], forgetAfter) end
if made <= free then return { made, redis.call('PTTL', KEYS[1]), 0 } end
local delay = math.min(2 ^ math.min(made - free - 1, 30), longest)
redis.call('SET', KEYS[2], 1, 'EX', delay)
return { made, delay * 1000, 0 }`;

/** Never below zero: a count that was forgotten meanwhile would become free guesses. */
const TAKE_BACK = `
redis.call('DEL', KEYS[2])
if (redis.call('GET', KEYS[1]) or 0) - 1 > 0 then return { redis.call('DECR', KEYS[1]), redis.call('PTTL', KEYS[1]), 0 } end
redis.call('DEL', KEYS[1])
return { 0, 0, 0 }`;

const Counted = z.tuple([z.number(), z.number(), z.number()]);

/**
 * Counts in Redis, shared by all who name the same issuer. Every key expires.
 * @param remembered what this process knows is not asked for, and stays known to it when Redis is gone
 */
export function createRedisStore(redis: Redis, issuer: string, remembered: KnownNetworks): GuessStore {
  /**
   * Redis is read by more people than the directory, in monitors and dumps, so it holds no email and no address. Who can
   * read it can still ask for an email that they know.
   */
  function keyOf(kind: string, name: string): string {
    const digest = createHash('sha256')
      .update(JSON.stringify([issuer, kind, name]))
      .digest('base64url');
    return `idcard:${kind}:${digest}`;
  }

  function createLimit(kind: string, pace: Pace): Limit {
    const { free, longestDelaySeconds, forgetAfterSeconds } = pace;
    const keysOf = (name: string) => [keyOf(`${kind}-attempts`, name), keyOf(`${kind}-delay`, name)] as const;
    return {
      async count(name) {
        const pacing = [free, longestDelaySeconds, forgetAfterSeconds];
        const [made, resetMs, refused] = await run(COUNT, ...keysOf(name), ...pacing);
        return { ...admitted(pace, made, resetMs), isRefused: refused === 1 };
      },
      async takeBack(name) {
        const [made, resetMs] = await run(TAKE_BACK, ...keysOf(name));
        return admitted(pace, made, resetMs);
      },
      async forget(name) {
        await inTime(ANSWER_MS, redis.del(...keysOf(name)));
      },
    };
  }

  /** A script of two keys. */
  async function run(script: string, ...values: (string | number)[]) {
    return Counted.parse(await inTime(ANSWER_MS, redis.eval(script, 2, ...values)));
  }

  return {
    addresses: createLimit('address', PER_ADDRESS),
    accounts: createLimit('account', PER_ACCOUNT),
    known: {
      async has(pair) {
        if (await remembered.has(pair)) return true;
        return (await inTime(ANSWER_MS, redis.exists(keyOf('known', pair)))) === 1;
      },
      async add(pair) {
        await remembered.add(pair);
        await inTime(ANSWER_MS, redis.set(keyOf('known', pair), 1, 'EX', KNOWN_SECONDS));
      },
    },
  };
}
