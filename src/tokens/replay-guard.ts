import { createBoundedMap } from '../bounded-map.ts';
import type { Clock } from '../clock.ts';
import { NONCE_STEP_SECONDS } from './dpop-nonces.ts';
import { type DpopProof, sha256 } from './dpop-proof.ts';

/** Whether a proof is seen for the first time; asking makes it known. */
export type ReplayGuard = (proof: DpopProof) => boolean;

/**
 * A proof works once in this process while its nonce is good, which is two steps at most (RFC 9449 §11.1).
 * @param capacity how many are remembered; beyond, those that were seen longest ago are forgotten
 */
export function createReplayGuard(capacity: number, clock: Clock): ReplayGuard {
  const usedUntilSeconds = createBoundedMap<number>(capacity);
  return ({ jkt, claims }) => {
    const id = `${jkt} ${sha256(claims.jti)}`;
    const now = clock();
    if (now < (usedUntilSeconds.get(id) ?? 0)) return false;
    usedUntilSeconds.set(id, now + 2 * NONCE_STEP_SECONDS);
    return true;
  };
}
