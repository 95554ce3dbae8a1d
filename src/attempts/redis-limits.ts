import type { Redis } from 'ioredis';
import type { Events } from '../events/events.ts';
import { Problem } from '../problems/problem.ts';
import { connectRedis, reasonOf } from '../redis/redis-connection.ts';
import { parseRedisUrl } from '../redis/redis-url.ts';
import { type Attempt, type AttemptLimits, type CountedAttempt, createAttemptLimits } from './limits.ts';
import { createRedisStore } from './redis-store.ts';

const RETRY_MS = 1000;

interface Settings {
  redisUrl: string;
  /** Keeps the counts of several issuers in one Redis apart. */
  publicUrl: string;
}

interface Shared {
  redis: Redis;
  limits: AttemptLimits;
}

/**
 * Counts attempts in Redis, for all replicas together. From the first failure of Redis on, this process counts by itself,
 * so that no other attempt waits for Redis. An attempt is taken back from the count that it was made in: taken back from
 * the other one, it would be a free attempt.
 * @param local the limits of this process
 * @param retryMs how often Redis is tried again
 * @throws StartupError when the URL makes no sense, but not when Redis is away
 */
export async function openRedisLimits(
  { redisUrl, publicUrl }: Settings,
  local: AttemptLimits,
  events: Events,
  retryMs = RETRY_MS,
): Promise<AttemptLimits> {
  const server = parseRedisUrl(redisUrl);
  let shared: Shared | undefined;
  let isTold = false;
  let isClosed = false;
  let retry: NodeJS.Timeout | undefined;

  async function connect(): Promise<void> {
    let redis: Redis | undefined;
    try {
      redis = await connectRedis(server);
      const found = { redis, limits: createAttemptLimits(createRedisStore(redis, publicUrl)) };
      await probe(found.limits);
      if (isClosed) return redis.disconnect();
      redis.once('end', () => disconnect(found, new Error('The connection ended.')));
      shared = found;
      isTold = false;
      events.tell('limits.shared', {});
    } catch (error) {
      redis?.disconnect();
      retryLater(error);
    }
  }

  function disconnect(from: Shared, error: unknown): void {
    if (shared !== from) return; // an earlier failure has disconnected already
    shared = undefined;
    from.redis.disconnect();
    retryLater(error);
  }

  function retryLater(error: unknown): void {
    if (isClosed) return;
    if (!isTold) events.tell('limits.local', { reason: reasonOf(error) });
    isTold = true;
    retry = setTimeout(connect, retryMs).unref();
  }

  async function countIn(from: Shared, attempt: Attempt): Promise<CountedAttempt> {
    const { headers, end } = await from.limits.countAttempt(attempt);
    return {
      headers,
      async end(outcome) {
        try {
          return await end(outcome);
        } catch (error) {
          disconnect(from, error);
          return headers;
        }
      },
    };
  }

  await connect();
  return {
    async countAttempt(attempt) {
      const from = shared;
      if (!from) return local.countAttempt(attempt);
      try {
        return await countIn(from, attempt);
      } catch (error) {
        if (error instanceof Problem) throw error;
        disconnect(from, error);
        return local.countAttempt(attempt);
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

/** Counts a login of nobody, with every command that counting needs, and within the same time. */
async function probe(limits: AttemptLimits): Promise<void> {
  try {
    const { end } = await limits.countAttempt({ address: '', account: '' });
    await end('succeeded');
  } catch (error) {
    if (!(error instanceof Problem)) throw error; // Redis counts: it has counted too many logins of nobody
  }
}
