import type { BaseLogger } from 'pino';
import type { Config } from '../config/config.ts';
import { createGuessLimits, type GuessLimits, noGuessLimits } from './guessing.ts';

/** @throws StartupError */
export async function openGuessLimits(
  { rateLimits, redisUrl, publicUrl }: Config,
  logger: Pick<BaseLogger, 'info' | 'warn'>,
): Promise<GuessLimits> {
  if (!rateLimits) return noGuessLimits;
  if (redisUrl === undefined) return createGuessLimits();
  const { openRedisGuessLimits } = await import('./redis-guess-limits.ts'); // its driver is for those who use it
  return openRedisGuessLimits({ redisUrl, publicUrl }, logger);
}
