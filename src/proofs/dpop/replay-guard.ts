import { sha256 } from '../../base/digest.ts';
import type { DpopProof } from './dpop-proof.ts';

export interface ReplayGuard {
  /** Whether a proof, whose nonce is good, is seen for the first time; asking makes it known. */
  isFirstUse(proof: DpopProof): boolean;
  /** How many are remembered. */
  readonly size: number;
}

/** Proofs that were used since a nonce was first seen, or since there were too many of those before. */
interface Generation {
  nonce: string | undefined;
  ids: Set<string>;
}

/** Two nonces are good at a time. The others are for clocks that go to and fro. */
const GENERATIONS = 8;

/**
 * A proof works once in this process while its nonce is good (RFC 9449 §11.1). No clock decides what is forgotten: one that
 * was ahead for a moment would make forget proofs whose nonce is good again. New nonces push the oldest proofs out.
 * @param capacity how many are remembered; beyond, those that were seen longest ago are forgotten
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
      const id = sha256(`${jkt} ${claims.jti}`); // both in one short text of its own
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
