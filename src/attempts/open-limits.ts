import type { BaseLogger } from 'pino';
import type { Config } from '../config/config.ts';
import { type AttemptLimits, createAttemptLimits, noAttemptLimits } from './limits.ts';

/** @throws StartupError */
export async function openAttemptLimits(
  { rateLimits, redisUrl, publicUrl }: Config,
  logger: Pick<BaseLogger, 'info' | 'warn'>,
): Promise<AttemptLimits> {
  if (!rateLimits) return noAttemptLimits;
  if (redisUrl === undefined) return createAttemptLimits();
  const { openRedisLimits } = await import('./redis-limits.ts'); // its driver is for those who use it
  return openRedisLimits({ redisUrl, publicUrl }, logger);
}
