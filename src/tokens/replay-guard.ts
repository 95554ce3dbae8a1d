import type { Clock } from '../clock.ts';
import { NONCE_STEP_SECONDS } from './dpop-nonces.ts';
import { type DpopProof, sha256 } from './dpop-proof.ts';

export interface ReplayGuard {
  /** Whether a proof is seen for the first time; asking makes it known. */
  isFirstUse(proof: DpopProof): boolean;
  /** How many are remembered. */
  readonly size: number;
}

/** While its nonce is good, which is two steps at most. */
const REMEMBERED_SECONDS = 2 * NONCE_STEP_SECONDS;

/**
 * A proof works once in this process while its nonce is good (RFC 9449 §11.1). Two generations: the young one becomes the
 * old one, which is forgotten, when its first proofs may be, or when it holds half the capacity.
 * @param capacity how many are remembered; beyond, those that were seen longest ago are forgotten
 */
export function createReplayGuard(capacity: number, clock: Clock): ReplayGuard {
  let young = new Map<string, number>();
  let old = new Map<string, number>();
  let bornAtSeconds = clock();

  return {
    isFirstUse({ jkt, claims }) {
      const id = sha256(`${jkt} ${claims.jti}`); // both in one short text of its own
      const now = clock();
      if (now < (young.get(id) ?? old.get(id) ?? 0)) return false;
      if (young.size >= capacity / 2 || now >= bornAtSeconds + REMEMBERED_SECONDS) {
        old = young;
        young = new Map();
        bornAtSeconds = now;
      }
      young.set(id, now + REMEMBERED_SECONDS);
      return true;
    },
    get size() {
      return young.size + old.size;
    },
  };
}
