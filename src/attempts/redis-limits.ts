import type { Redis } from 'ioredis';
import type { BaseLogger } from 'pino';
import { Problem } from '../problems/problem.ts';
import { connectRedis, reasonOf } from '../redis/redis-connection.ts';
import { parseRedisUrl } from '../redis/redis-url.ts';
import { type AttemptLimits, type CountedAttempt, createAttemptLimits } from './limits.ts';
import { createRedisStore } from './redis-store.ts';

/** How often Redis is tried again. */
const RETRY_MS = 1000;

interface Settings {
  redisUrl: string;
  /** Tells the counts of several issuers in one Redis apart. */
  publicUrl: string;
}

interface Shared {
  redis: Redis;
  limits: AttemptLimits;
}

/**
 * One count for all replicas, in Redis; a count of this process while Redis fails in any way, from the first failure on, so
 * that no other attempt waits for it. An attempt stays with the count that it was made in: given back to the other one,
 * it would be a free guess.
 * @throws StartupError when the URL makes no sense, and not when Redis is away
 */
export async function openRedisLimits(
  { redisUrl, publicUrl }: Settings,
  logger: Pick<BaseLogger, 'info' | 'warn'>,
): Promise<AttemptLimits> {
  const server = parseRedisUrl(redisUrl);
  const local = createAttemptLimits();
  let shared: Shared | undefined;
  let isTold = false;
  let isClosed = false;
  let retry: NodeJS.Timeout | undefined;

  async function share(): Promise<void> {
    let redis: Redis | undefined;
    try {
      redis = await connectRedis(server);
      const found = { redis, limits: createAttemptLimits(createRedisStore(redis, publicUrl)) };
      await probe(found.limits);
      if (isClosed) return redis.disconnect();
      redis.once('end', () => part(found, new Error('The connection ended.')));
      shared = found;
      isTold = false;
      logger.info({ event: 'limits.shared' });
    } catch (error) {
      redis?.disconnect();
      goLocal(error);
    }
  }

  function part(from: Shared, error: unknown): void {
    if (shared !== from) return; // the first of several failures has done it
    shared = undefined;
    from.redis.disconnect();
    goLocal(error);
  }

  function goLocal(error: unknown): void {
    if (isClosed) return;
    if (!isTold) logger.warn({ event: 'limits.local', reason: reasonOf(error) });
    isTold = true;
    retry = setTimeout(share, RETRY_MS).unref();
  }

  async function countIn(
    from: Shared,
    ...attempt: Parameters<AttemptLimits['count']>
  ): Promise<CountedAttempt> {
    const counted = await from.limits.count(...attempt);
    const end = (outcome: 'takenBack' | 'abandoned') => async () => {
      try {
        return await counted[outcome]();
      } catch (error) {
        part(from, error);
        return counted.headers;
      }
    };
    return {
      headers: counted.headers,
      takenBack: end('takenBack'),
      abandoned: end('abandoned'),
    };
  }

  await share();
  return {
    async count(...attempt) {
      const from = shared;
      if (!from) return local.count(...attempt);
      try {
        return await countIn(from, ...attempt);
      } catch (error) {
        if (error instanceof Problem) throw error;
        part(from, error);
        return local.count(...attempt);
      }
    },
    close() {
      isClosed = true;
      clearTimeout(retry);
      const from = shared;
      shared = undefined;
      from?.redis.disconnect();
    },
  };
}

/** A login of nobody: every command that counting needs, and as fast. */
async function probe(limits: AttemptLimits): Promise<void> {
  try {
    const counted = await limits.count('', '');
    await counted.takenBack();
  } catch (error) {
    if (!(error instanceof Problem)) throw error; // too many logins of nobody were counted in time
  }
}
