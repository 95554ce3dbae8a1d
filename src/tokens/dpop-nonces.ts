import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { createBoundedMap } from '../bounded-map.ts';
import type { Clock } from '../clock.ts';

/** Nonces that nobody stores (RFC 9449 §8). */
export interface DpopNonces {
  /** For the next proof: good for one to two steps. */
  current(): string;
  isValid(nonce: string | undefined): boolean;
}

/** The secrets that nonces are made with: those of a key set, or one that is made for it. */
export interface NonceKeys {
  keys: readonly { kid: string; material: unknown }[];
  signingKey(kind: 'refresh'): { kid: string };
  verificationKey(kid: string): unknown;
}

export const NONCE_STEP_SECONDS = 60;

/**
 * HMACs of the time step under a key derived from the refresh secret: every replica makes and knows the same ones.
 * While keys rotate, nonces of each accepted secret are good.
 */
export function createDpopNonces(keySet: NonceKeys, clock: Clock): DpopNonces {
  const secrets = new Map(
    keySet.keys.flatMap((key) =>
      Buffer.isBuffer(key.material) ? [[key.kid, deriveSecret(key.material)]] : [],
    ),
  );
  const step = () => Math.floor(clock() / NONCE_STEP_SECONDS);
  /** Those of the steps asked for lately: every proof asks for the same few. */
  const made = createBoundedMap<string>(8 * Math.max(1, secrets.size));
  const nonceOf = ({ kid }: { kid: string }, time: number) => {
    const name = `${kid} ${time}`;
    const nonce = made.get(name) ?? makeNonce(secrets.get(kid), time);
    made.set(name, nonce);
    return nonce;
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

function makeNonce(secret: Buffer | undefined, time: number): string {
  // Without one anybody could make nonces.
  if (!secret) throw new Error('A key of another key set.');
  return createHmac('sha256', secret).update(String(time)).digest('base64url');
}

function deriveSecret(secret: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', 'idcard dpop nonce', 32));
}

function isSameText(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
