import { createHmac, timingSafeEqual } from 'node:crypto';
import { createBoundedMap } from '../../base/bounded-map.ts';
import type { Clock } from '../../base/clock.ts';
import { deriveSecrets, type SecretKeys } from '../keys/derived-secrets.ts';

/** Nonces (RFC 9449 §8), without a store. */
export interface DpopNonces {
  /** The nonce for the next proof, good for one to two steps. */
  current(): string;
  isValid(nonce: string | undefined): boolean;
}

export const NONCE_STEP_SECONDS = 60;

/**
 * A nonce is an HMAC of the time step, under a key derived from the refresh secret: every replica makes and accepts the same
 * nonces. While keys rotate, the nonces of each accepted secret are good.
 */
export function createDpopNonces(keySet: SecretKeys, clock: Clock): DpopNonces {
  const secrets = deriveSecrets(keySet, 'idcard dpop nonce');
  const step = () => Math.floor(clock() / NONCE_STEP_SECONDS);
  /** The nonces of the latest steps: every proof needs the same few. */
  const made = createBoundedMap<string>(8 * Math.max(1, secrets.size));
  const nonceOf = (kid: string, time: number) => {
    const name = `${kid} ${time}`;
    const nonce = made.get(name) ?? makeNonce(secrets.of(kid), time);
    made.set(name, nonce);
    return nonce;
  };

  return {
    current: () => nonceOf(keySet.signingKey('refresh').kid, step()),
    isValid(nonce) {
      if (nonce === undefined) return false;
      return secrets
        .accepted()
        .flatMap((kid) => [nonceOf(kid, step()), nonceOf(kid, step() - 1)])
        .some((good) => isSameText(good, nonce));
    },
  };
}

function makeNonce(secret: Buffer, time: number): string {
  return createHmac('sha256', secret).update(String(time)).digest('base64url');
}

function isSameText(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
