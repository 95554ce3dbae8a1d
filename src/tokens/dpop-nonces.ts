import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Key, KeySet } from './key-set.ts';

/** Nonces that nobody stores (RFC 9449 §8). */
export interface DpopNonces {
  /** For the next proof: good for one to two steps. */
  current(): string;
  isValid(nonce: string | undefined): boolean;
}

export const NONCE_STEP_SECONDS = 60;

/**
 * HMACs of the time step under a key derived from the refresh secret: every replica makes and knows the same ones.
 * While keys rotate, nonces of each accepted secret are good.
 */
export function createDpopNonces(keySet: KeySet, clock: Clock): DpopNonces {
  const secrets = new Map(
    keySet.keys.flatMap((key) =>
      Buffer.isBuffer(key.material) ? [[key.kid, deriveSecret(key.material)]] : [],
    ),
  );
  const step = () => Math.floor(clock() / NONCE_STEP_SECONDS);
  const nonceOf = ({ kid }: Pick<Key, 'kid'>, time: number) => {
    const secret = secrets.get(kid);
    // Without one anybody could make nonces.
    if (!secret) throw new Error('A key of another key set.');
    return createHmac('sha256', secret).update(String(time)).digest('base64url');
  };

  return {
    current: () => nonceOf(keySet.signingKey('refresh'), step()),
    isValid(nonce) {
      if (nonce === undefined) return false;
      return [...secrets.keys()]
        .filter((kid) => keySet.verificationKey(kid))
        .flatMap((kid) => [nonceOf({ kid }, step()), nonceOf({ kid }, step() - 1)])
        .some((good) => isSameText(good, nonce));
    },
  };
}

function deriveSecret(secret: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', 'idcard dpop nonce', 32));
}

function isSameText(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
