import type { BaseLogger } from 'pino';
import type { Config } from '../config/config.ts';
import { type AttemptLimits, createAttemptLimits, noAttemptLimits } from './limits.ts';

/** @throws StartupError */
export async function openAttemptLimits(
  { attempts, redis, server }: Config,
  logger: Pick<BaseLogger, 'info' | 'warn'>,
): Promise<AttemptLimits> {
  if (!attempts.rateLimits) return noAttemptLimits;
  if (redis.url === undefined) return createAttemptLimits();
  const { openRedisLimits } = await import('./redis-limits.ts'); // its driver is for those who use it
  return openRedisLimits({ redisUrl: redis.url, publicUrl: server.publicUrl }, logger);
}
