import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import { dpopNonceRequired, invalidDpopProof, invalidToken } from '../problems/catalogue.ts';
import type { Problem } from '../problems/problem.ts';
import type { SecretKeys } from './derived-secrets.ts';
import { createDpopNonces } from './dpop-nonces.ts';
import { createProofReader, type DpopProof, sha256 } from './dpop-proof.ts';
import { createReplayGuard } from './replay-guard.ts';

/** Proof of possession: RFC 9449. Nothing is stored. */
export interface Dpop {
  /**
   * Checks a proof (RFC 9449 §4.3).
   * @returns the thumbprint (RFC 7638) of the key that made it
   * @throws invalidDpopProof, dpopNonceRequired
   */
  verifyProof(proof: string, use: ProofUse): string;
  /** A nonce for the next proof (RFC 9449 §8.2). */
  nonce(): string;
}

/** The request that a proof must have been made for. */
interface ProofUse {
  method: string;
  /** Path and query of the request. */
  url: string;
  /** The access token that the proof comes with; absent where tokens are issued. */
  accessToken?: string;
}

/** How many ids of proofs are remembered. Beyond, the oldest may be replayed while its nonce is good. */
const REPLAY_CAPACITY = 200_000;

/** How many keys of clients are remembered. */
const PROOF_KEYS = 5000;

type Dependencies = { config: Pick<Config, 'publicUrl'>; keySet: SecretKeys; clock: Clock };

export function createDpop({ config, keySet, clock }: Dependencies): Dpop {
  const nonces = createDpopNonces(keySet, clock);
  const readProof = createProofReader(PROOF_KEYS);
  const { isFirstUse } = createReplayGuard(REPLAY_CAPACITY);

  return {
    verifyProof(text, use) {
      const place = use.accessToken === undefined ? 'login' : 'resource';
      const headers = () => ({ 'dpop-nonce': nonces.current() });
      const proof = readProof(text);
      if (!proof) throw invalidDpopProof[place]({ headers: headers() });
      const mismatch = findMismatch(proof.claims, use, config.publicUrl);
      if (mismatch)
        throw invalidDpopProof[place]({
          headers: headers(),
          detail: `The DPoP proof is for another ${mismatch}.`,
        });
      if (!nonces.isValid(proof.claims.nonce)) throw dpopNonceRequired[place]({ headers: headers() });
      if (!isFirstUse(proof)) {
        throw invalidDpopProof[place]({
          headers: headers(),
          detail: 'The DPoP proof was used before (jti).',
        });
      }
      return proof.jkt;
    },
    nonce: nonces.current,
  };
}

/** A token for the bearer, where only bound ones count. */
export function tokenNotBound(): Problem {
  return invalidToken({
    detail: 'The token is not bound to a key, as DPoP and REQUIRE_DPOP demand: log in with a DPoP proof.',
  });
}

/** A good proof, and a good token, that do not belong together (RFC 9449 §7.1). */
export function boundToAnotherKey(): Problem {
  return invalidToken({ detail: 'The DPoP proof is made with another key than the token is bound to.' });
}

function findMismatch(claims: DpopProof['claims'], use: ProofUse, publicUrl: string): string | undefined {
  if (claims.htm !== use.method) return 'method (htm)';
  if (!isSameUrl(claims.htu, publicUrl + use.url)) return 'address (htu)';
  if (use.accessToken !== undefined && claims.ath !== sha256(use.accessToken)) return 'access token (ath)';
  return undefined;
}

/**
 * RFC 9449 §4.3, check 9: without query and fragment, after normalization (RFC 3986 §6.2.2 and §6.2.3). User and
 * password are compared, and no request has them: in an http address they are an error (RFC 9110 §4.2.4).
 */
function isSameUrl(htu: string, requestUrl: string): boolean {
  if (htu === requestUrl) return true; // as nearly every client writes it
  const claimed = withoutQuery(htu);
  return claimed !== undefined && claimed === withoutQuery(requestUrl);
}

function withoutQuery(address: string): string | undefined {
  const url = URL.parse(address);
  if (url === null) return undefined;
  url.search = '';
  url.hash = '';
  return url.href;
}
