import type { BaseLogger } from 'pino';
import type { Config } from '../config/config.ts';
import { createGuessLimits, type GuessLimits, noGuessLimits } from './guessing.ts';

/** @throws StartupError */
export async function openGuessLimits(
  { attempts, redis, server }: Config,
  logger: Pick<BaseLogger, 'info' | 'warn'>,
): Promise<GuessLimits> {
  if (!attempts.rateLimits) return noGuessLimits;
  if (redis.url === undefined) return createGuessLimits();
  const { openRedisGuessLimits } = await import('./redis-guess-limits.ts'); // its driver is for those who use it
  return openRedisGuessLimits({ redisUrl: redis.url, publicUrl: server.publicUrl }, logger);
}
