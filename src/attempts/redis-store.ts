import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { inTime } from '../base/in-time.ts';
import { type Count, type CountStore, PACES, type Tally, tallyOf } from './count-store.ts';

/** How long Redis has for an answer. */
const ANSWER_MS = 300;

/**
 * Counts an attempt in every count, unless one of them has a delay. Redis runs a script as a whole: between two commands,
 * attempts at other replicas would see counts that include refused attempts. Each count has two keys: the number of
 * attempts, and the attempt that made the delay. The paces share one argument: a Redis that wants a password says so only
 * to commands of at most ten arguments.
 */
const ADD = `
local paces, counts, refused = cjson.decode(ARGV[2]), {}, false
for i = 1, #KEYS / 2 do
  local made, wait = tonumber(redis.call('GET', KEYS[2 * i - 1]) or 0), redis.call('PTTL', KEYS[2 * i])
  counts[i] = { made, redis.call('PTTL', KEYS[2 * i - 1]), math.max(wait, 0) }
  if wait > 0 then refused = true end
end
if refused then return counts end
for i = 1, #counts do
  local made, left = counts[i][1] + 1, counts[i][2]
  local free, longest, forgetAfter = unpack(paces[i])
  if left < 1 then left = forgetAfter * 1000 end
  redis.call('SET', KEYS[2 * i - 1], made, 'PX', left)
  if made > free then
    left = math.min(2 ^ math.min(made - free - 1, 30), longest) * 1000
    redis.call('SET', KEYS[2 * i], ARGV[1], 'PX', left)
  end
  counts[i] = { made, left, 0 }
end
return counts`;

/** Takes an attempt back. A count that has expired meanwhile stays at zero: below zero there would be free attempts. */
const TAKE_BACK = `
local counts = {}
for i = 1, #KEYS / 2 do
  local made, left = tonumber(redis.call('GET', KEYS[2 * i - 1]) or 0) - 1, redis.call('PTTL', KEYS[2 * i - 1])
  if redis.call('GET', KEYS[2 * i]) == ARGV[1] then redis.call('DEL', KEYS[2 * i]) end
  if made > 0 and left > 0 then
    redis.call('SET', KEYS[2 * i - 1], made, 'PX', left)
    counts[i] = { made, left, 0 }
  else
    redis.call('DEL', KEYS[2 * i - 1])
    counts[i] = { 0, 0, 0 }
  end
end
return counts`;

/** For each count, the fields of `Standing` in their order. */
const Standings = z.array(z.tuple([z.number(), z.number(), z.number()]));

/** Counts in Redis, shared by all replicas with the same issuer. Every key expires. */
export function createRedisStore(redis: Redis, issuer: string): CountStore {
  /**
   * More people read Redis than the directory, in monitors and dumps. So no key holds an email or an address. Who can
   * read Redis can still ask for an email that they know.
   */
  function keyOf(kind: string, name: string): string {
    const digest = createHash('sha256')
      .update(JSON.stringify([issuer, kind, name]))
      .digest('base64url');
    return `idcard:${kind}:${digest}`;
  }

  async function run(script: string, attempt: number, counts: readonly Count[]): Promise<Tally[]> {
    const keys = counts.flatMap(({ kind, name }) => [
      keyOf(`${kind}-attempts`, name),
      keyOf(`${kind}-delay`, name),
    ]);
    const paces = counts.map(({ kind }) => {
      const { free, longestDelaySeconds, forgetAfterSeconds } = PACES[kind];
      return [free, longestDelaySeconds, forgetAfterSeconds];
    });
    const answer = await inTime(
      ANSWER_MS,
      redis.eval(script, keys.length, ...keys, attempt, JSON.stringify(paces)),
    );
    const standings = Standings.length(counts.length).parse(answer);
    return counts.map((count, index) => {
      const [made, resetMs, waitMs] = standings[index] ?? [0, 0, 0];
      return tallyOf(count, { made, resetMs, waitMs });
    });
  }

  return {
    add: (attempt, counts) => run(ADD, attempt, counts),
    takeBack: (attempt, counts) => run(TAKE_BACK, attempt, counts),
  };
}
