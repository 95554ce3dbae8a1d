import { monotonicMs } from '../base/clock.ts';
import type { Config } from '../config/config.ts';
import type { Events } from '../events/events.ts';
import { type AttemptLimits, createAttemptLimits, noAttemptLimits } from './limits.ts';
import { createMemoryStore } from './memory-store.ts';

interface Options {
  /** Of the counts in memory: a clock that nobody can set. */
  nowMs?: () => number;
  /** In a worker: the limits that the primary holds. */
  primaryLimits?: AttemptLimits | undefined;
}

/**
 * The limits of a configuration. Nobody else asks whether there are any.
 * @throws StartupError
 */
export async function openAttemptLimits(
  { rateLimits, redisUrl, publicUrl }: Config,
  events: Pick<Events, 'tell'>,
  { nowMs = monotonicMs, primaryLimits }: Options = {},
): Promise<AttemptLimits> {
  if (!rateLimits) return noAttemptLimits;
  if (primaryLimits) return primaryLimits;
  const inMemory = createAttemptLimits(createMemoryStore(nowMs));
  if (redisUrl === undefined) return inMemory;
  const { openRedisLimits } = await import('./redis-limits.ts'); // its driver is for those who use it
  return openRedisLimits({ redisUrl, publicUrl }, inMemory, events);
}
