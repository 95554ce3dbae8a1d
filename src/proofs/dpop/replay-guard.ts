import { sha256 } from '../../base/digest.ts';
import type { DpopProof } from './dpop-proof.ts';

export interface ReplayGuard {
  /** Whether a proof, whose nonce is good, comes for the first time. The call remembers the proof. */
  isFirstUse(proof: DpopProof): boolean;
  /** How many proofs are remembered. */
  readonly size: number;
}

/** Proofs that came after a nonce was first seen, or after the generation before was full. */
interface Generation {
  nonce: string | undefined;
  ids: Set<string>;
}

/** Two nonces are good at a time. The other generations are for clocks that go to and fro. */
const GENERATIONS = 8;

/**
 * Lets a proof work once in this process while its nonce is good (RFC 9449 §11.1). New nonces push out the oldest proofs. No clock
 * decides what is forgotten: after a moment in which a clock was ahead, the nonce of a forgotten proof would be good again.
 * @param capacity how many proofs are remembered; when there are more, the oldest are forgotten
 */
export function createReplayGuard(capacity: number): ReplayGuard {
  /** The newest first. */
  const generations: Generation[] = [];
  const size = () => generations.reduce((sum, { ids }) => sum + ids.size, 0);

  function begin(nonce: string | undefined): Generation {
    while (generations.length >= GENERATIONS || size() > capacity / 2) generations.pop();
    const generation = { nonce, ids: new Set<string>() };
    generations.unshift(generation);
    return generation;
  }

  return {
    isFirstUse({ jkt, claims }) {
      const id = sha256(`${jkt} ${claims.jti}`); // one short text for both
      if (generations.some(({ ids }) => ids.has(id))) return false;
      const isKnown = generations.some(({ nonce }) => nonce === claims.nonce);
      const newest = generations[0];
      const isFull = newest !== undefined && newest.ids.size >= capacity / 2;
      const { ids } = newest && isKnown && !isFull ? newest : begin(claims.nonce);
      ids.add(id);
      return true;
    },
    get size() {
      return size();
    },
  };
}
