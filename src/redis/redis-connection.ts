import { Redis } from 'ioredis';
import { inTime } from '../base/in-time.ts';
import type { RedisServer } from './redis-url.ts';

/** How long a connection may take to open, with TLS and the password. */
const CONNECT_MS = 1000;

/** A connection that ends is not opened again, and no command waits for one: the caller goes on without Redis. */
const OPTIONS = {
  lazyConnect: true,
  retryStrategy: null,
  enableOfflineQueue: false,
  enableReadyCheck: false,
  disableClientInfo: true,
  disconnectTimeout: 100,
  protocol: 2, // RESP3 sends the password in a command that older servers repeat in their error
} as const;

/** @throws Error */
export async function connectRedis(server: RedisServer): Promise<Redis> {
  const redis = new Redis({ ...server, ...OPTIONS });
  let refusal: Error | undefined;
  redis.on('error', (error: Error) => {
    refusal ??= error;
  });
  try {
    await inTime(CONNECT_MS, redis.connect());
    if (refusal) throw refusal; // a wrong password or database: without this, another database would be used without a word
    return redis;
  } catch (error) {
    redis.disconnect();
    throw refusal ?? error;
  }
}

/** One word for the log. The whole message may repeat what was sent, the password included. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if ('code' in error && typeof error.code === 'string') return error.code;
  const [word] = /^[A-Z]+\b/.exec(error.message) ?? [];
  // ioredis says in several ways that there is no connection.
  return word ?? (error.name === 'Error' ? 'CLOSED' : error.name);
}
