import type { Config } from '../config/config.ts';
import type { Events } from '../events/events.ts';
import { type AttemptLimits, createAttemptLimits, noAttemptLimits } from './limits.ts';
import { createMemoryStore } from './memory-store.ts';

/**
 * The limits that a configuration asks for. Where it asks for none there is `noAttemptLimits`, so that no caller has to
 * ask.
 * @param nowMs the clock of counts in memory, which nobody can set
 * @param primaryLimits in a worker: the limits that the primary holds
 * @throws StartupError
 */
export async function openAttemptLimits(
  { attempts, redis, server }: Config,
  events: Events,
  nowMs: () => number,
  primaryLimits?: AttemptLimits,
): Promise<AttemptLimits> {
  if (!attempts.rateLimits) return noAttemptLimits;
  if (primaryLimits) return primaryLimits;
  const inMemory = createAttemptLimits(createMemoryStore(nowMs));
  if (redis.url === undefined) return inMemory;
  const { openRedisLimits } = await import('./redis-limits.ts'); // only who uses Redis loads its driver
  return openRedisLimits({ redisUrl: redis.url, publicUrl: server.publicUrl }, inMemory, events);
}
