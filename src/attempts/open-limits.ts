import type { Config } from '../config/config.ts';
import type { Events } from '../events/events.ts';
import { type AttemptLimits, createAttemptLimits, noAttemptLimits } from './limits.ts';
import { createMemoryStore } from './memory-store.ts';

/**
 * The limits of a configuration. Nobody else asks whether there are any.
 * @param nowMs of counts in memory: a clock that nobody can set
 * @param primaryLimits in a worker: those that the primary holds
 * @throws StartupError
 */
export async function openAttemptLimits(
  { attempts, redis, server }: Config,
  events: Pick<Events, 'tell'>,
  nowMs: () => number,
  primaryLimits?: AttemptLimits,
): Promise<AttemptLimits> {
  if (!attempts.rateLimits) return noAttemptLimits;
  if (primaryLimits) return primaryLimits;
  const inMemory = createAttemptLimits(createMemoryStore(nowMs));
  if (redis.url === undefined) return inMemory;
  const { openRedisLimits } = await import('./redis-limits.ts'); // its driver is for those who use it
  return openRedisLimits({ redisUrl: redis.url, publicUrl: server.publicUrl }, inMemory, events);
}
