import { boundToAnotherKey, type Dpop, type ProofUse, tokenNotBound } from './dpop.ts';
import { invalidDpopProof } from './problems.ts';

/** The key that new tokens are bound to, and who needs one: RFC 9449 §5, and REQUIRE_DPOP. */
export interface Binding {
  /**
   * The thumbprint of the key that made the proof; undefined when the client sent no proof, and then the tokens are for the bearer.
   * @throws invalidDpopProof, dpopNonceRequired
   */
  keyOf(proof: string | undefined, use: ProofUse): string | undefined;
  /**
   * A bound refresh token is nothing without its key. An unbound one may be bound from now on, but not where only bound ones
   * count: whoever stole it could bind it too.
   * @param bound the key of the refresh token @param jkt the key of the request
   * @throws invalidToken, invalidDpopProof
   */
  refuseOtherKey(bound: string | undefined, jkt: string | undefined): void;
}

export function createBinding(dpop: Dpop, requireDpop: boolean): Binding {
  return {
    keyOf(proof, use) {
      if (proof !== undefined) return dpop.verifyProof(proof, use);
      if (!requireDpop) return undefined;
      throw invalidDpopProof.login({
        detail: 'REQUIRE_DPOP is on here: send a DPoP proof (RFC 9449) in the header DPoP.',
      });
    },
    refuseOtherKey(bound, jkt) {
      if (requireDpop && bound === undefined) throw tokenNotBound();
      if (bound === undefined || bound === jkt) return;
      if (jkt !== undefined) throw boundToAnotherKey(jkt, bound);
      throw invalidDpopProof.login({
        detail: 'The refresh token is bound to a key: a DPoP proof is required.',
      });
    },
  };
}
