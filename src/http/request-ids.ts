import { randomFillSync } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** 96 random bits: ids differ across all replicas and starts, and tell nobody how many requests there were. */
const ID_BYTES = 12;
const POOL_BYTES = 256 * ID_BYTES;

/** What the id of a proxy may look like: nothing that a log could show as more than one id. */
const FOREIGN_ID = /^[\w.-]{1,128}$/;

export interface RequestIds {
  /** A new id, for a request that has none. */
  next(): string;
  /** The id of a request: what a trusted proxy says in X-Request-Id, else a new one. */
  of(request: IncomingMessage): string;
}

/** @param isProxy whether a trusted proxy is at this address; absent where there are none */
export function createRequestIds(isProxy?: (address: string) => boolean): RequestIds {
  const pool = Buffer.allocUnsafeSlow(POOL_BYTES);
  let position = POOL_BYTES;

  function refill(): void {
    randomFillSync(pool);
    // Each id begins with a letter: on a command line a "-" would begin an option.
    for (let start = 0; start < POOL_BYTES; start += ID_BYTES) pool[start] = Number(pool[start]) & 0x7f;
    position = 0;
  }

  function next(): string {
    if (position === POOL_BYTES) refill();
    const start = position;
    position += ID_BYTES;
    return pool.toString('base64url', start, position);
  }

  if (!isProxy) return { next, of: next };
  return {
    next,
    of({ headers, socket }) {
      const id = headers['x-request-id'];
      const isGood = typeof id === 'string' && FOREIGN_ID.test(id) && isProxy(socket.remoteAddress ?? '');
      return isGood ? id : next();
    },
  };
}
