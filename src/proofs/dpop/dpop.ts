import type { Clock } from '../../base/clock.ts';
import { sha256 } from '../../base/digest.ts';
import { publicPart, quoted } from '../../base/log-text.ts';
import { parseUrl } from '../../base/parse-url.ts';
import { invalidToken } from '../../problems/general.ts';
import type { Problem } from '../../problems/problem.ts';
import type { SecretKeys } from '../keys/derived-secrets.ts';
import { createDpopNonces } from './dpop-nonces.ts';
import { createProofReader, type DpopProof, explainProof } from './dpop-proof.ts';
import { dpopNonceRequired, invalidDpopProof } from './problems.ts';
import { createReplayGuard } from './replay-guard.ts';

/** Proof of possession (RFC 9449), without a store. */
export interface Dpop {
  /**
   * Checks a proof (RFC 9449 §4.3).
   * @returns the thumbprint (RFC 7638) of the key that signed the proof
   * @throws invalidDpopProof, dpopNonceRequired
   */
  verifyProof(proof: string, use: ProofUse): string;
  /** A nonce for the next proof (RFC 9449 §8.2). */
  nonce(): string;
}

/** The request that a proof must have been made for. */
export interface ProofUse {
  method: string;
  /** Path and query of the request. */
  url: string;
  /** The access token that the proof comes with; absent where tokens are issued. */
  accessToken?: string;
}

/** How many used proofs are remembered. When there are more, the oldest may be replayed while its nonce is good. */
const REPLAY_CAPACITY = 200_000;

/** How many keys of clients are remembered. */
const PROOF_KEYS = 5000;

type Dependencies = { publicUrl: string; keySet: SecretKeys; clock: Clock };

export function createDpop({ publicUrl, keySet, clock }: Dependencies): Dpop {
  const nonces = createDpopNonces(keySet, clock);
  const readProof = createProofReader(PROOF_KEYS);
  const { isFirstUse } = createReplayGuard(REPLAY_CAPACITY);

  return {
    verifyProof(text, use) {
      const place = use.accessToken === undefined ? 'login' : 'resource';
      const headers = () => ({ 'dpop-nonce': nonces.current() });
      const proof = readProof(text);
      if (!proof)
        throw invalidDpopProof[place]({
          headers: headers(),
          reason: () => `DPoP proof: ${explainProof(text)}`,
        });
      const mismatch = findMismatch(proof.claims, use, publicUrl);
      if (mismatch)
        throw invalidDpopProof[place]({
          headers: headers(),
          detail: `The DPoP proof is for another ${mismatch.what}.`,
          reason: () => `DPoP proof for another ${mismatch.what}: ${mismatch.values()}`,
        });
      if (!nonces.isValid(proof.claims.nonce)) {
        throw dpopNonceRequired[place]({
          headers: headers(),
          reason: () =>
            proof.claims.nonce === undefined
              ? 'DPoP proof without a nonce; the answer has one'
              : 'DPoP proof with a nonce that is too old, or none of this server; the answer has one',
        });
      }
      if (!isFirstUse(proof)) {
        throw invalidDpopProof[place]({
          headers: headers(),
          detail: 'The DPoP proof was used before (jti).',
          reason: () => `DPoP proof used before: jti ${quoted(proof.claims.jti)}`,
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
export function boundToAnotherKey(jkt: string, expected: string): Problem {
  return invalidToken({
    detail: 'The DPoP proof is made with another key than the token is bound to.',
    reason: () => `DPoP proof by another key: thumbprint ${quoted(jkt)}, expected ${quoted(expected)}`,
  });
}

interface Mismatch {
  what: string;
  /** For the log. */
  values(): string;
}

function findMismatch(
  { htm, htu, ath }: DpopProof['claims'],
  use: ProofUse,
  publicUrl: string,
): Mismatch | undefined {
  const { method, accessToken } = use;
  const url = publicUrl + use.url;
  if (htm !== method)
    return { what: 'method (htm)', values: () => `${quoted(htm)}, expected ${quoted(method)}` };
  if (!isSameUrl(htu, url))
    return {
      what: 'address (htu)',
      values: () => `${quoted(publicPart(htu))}, expected ${quoted(withoutQuery(url))}`,
    };
  if (accessToken !== undefined && ath !== sha256(accessToken))
    return { what: 'access token (ath)', values: () => `${quoted(ath)} is not the SHA-256 of the token` };
  return undefined;
}

/**
 * RFC 9449 §4.3, check 9: compares the addresses without query and fragment, after normalization (RFC 3986 §6.2.2 and §6.2.3).
 * User and password are compared too. No request has them, since they are an error in an http address (RFC 9110 §4.2.4).
 */
function isSameUrl(htu: string, requestUrl: string): boolean {
  if (htu === requestUrl) return true; // nearly every client writes it so
  const claimed = withoutQuery(htu);
  return claimed !== undefined && claimed === withoutQuery(requestUrl);
}

function withoutQuery(address: string): string | undefined {
  const url = parseUrl(address);
  if (url === null) return undefined;
  url.search = '';
  url.hash = '';
  return url.href;
}
