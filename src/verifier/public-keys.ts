import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { createVerifier } from 'fast-jwt';
import { z } from 'zod';
import { withoutStack } from '../problems/without-stack.ts';
import type { VerificationKey } from '../proofs/tokens/verification.ts';

/** A public key of the issuer. */
export interface PublicKey extends VerificationKey {
  pem: string;
  verify(token: string): unknown;
}

const MIN_RSA_BITS = 2048;
/** A bound for memory. During a rotation there are two keys. */
const MAX_KEYS = 100;

/** Members that make a key private or secret (RFC 7518 §6): nobody may trust a key that is published with one. */
const absent = z.undefined().optional();
const noPrivateHalf = { d: absent, p: absent, q: absent, dp: absent, dq: absent, qi: absent, k: absent };

const common = {
  kid: z.string().min(1).max(128),
  use: z.literal('sig').optional(),
  key_ops: z.tuple([z.literal('verify')]).optional(),
  ...noPrivateHalf,
};

/** RFC 7518 §6: public keys of the kinds that idcard signs with, each with its one algorithm. */
const UsableJwk = z.union([
  z.object({
    ...common,
    kty: z.literal('EC'),
    crv: z.literal('P-256'),
    alg: z.literal('ES256').default('ES256'),
    x: z.string(),
    y: z.string(),
  }),
  z.object({
    ...common,
    kty: z.literal('OKP'),
    crv: z.literal('Ed25519'),
    alg: z.literal('EdDSA').default('EdDSA'),
    x: z.string(),
  }),
  z.object({
    ...common,
    kty: z.literal('RSA'),
    alg: z.literal('RS256').default('RS256'),
    n: z.string(),
    e: z.string(),
  }),
]);

const JwkSet = z.object({ keys: z.array(z.unknown()).max(MAX_KEYS) });

/**
 * The keys of a JWK Set with which tokens can be verified. Other keys are passed over (RFC 7517 §5).
 * @param retiredAtSeconds until when the keys are good, unless they are fetched again
 * @throws Error for a text that is no set, has no such key, or has two keys with one `kid`
 */
export function readPublicKeys(json: string, retiredAtSeconds: number): Map<string, PublicKey> {
  const usable = JwkSet.parse(JSON.parse(json)).keys.flatMap((jwk) => UsableJwk.safeParse(jwk).data ?? []);
  const keys = new Map<string, PublicKey>();
  for (const { kid, alg, ...jwk } of usable) {
    if (keys.has(kid)) throw new Error('The JWK Set has two keys of one name.');
    const pem = toPem(jwk);
    if (pem === undefined) continue;
    keys.set(kid, { algorithm: alg, signs: 'access', retiredAtSeconds, pem, verify: verifierOf(pem, alg) });
  }
  if (keys.size === 0) throw new Error('The JWK Set has no key that can be used.');
  return keys;
}

/** Undefined for a key that is weak or malformed, such as a point that is not on the curve. */
function toPem(jwk: object): string | undefined {
  try {
    const key = withoutStack(() => createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' }));
    const bits = key.asymmetricKeyDetails?.modulusLength;
    if (bits !== undefined && bits < MIN_RSA_BITS) return undefined;
    return key.export({ type: 'spki', format: 'pem' }).toString();
  } catch {
    return undefined;
  }
}

/** The library below @fastify/jwt, which itself cannot change its keys. One verifier for each key, with one algorithm. */
function verifierOf(pem: string, algorithm: 'ES256' | 'EdDSA' | 'RS256'): (token: string) => unknown {
  return createVerifier({
    key: pem,
    algorithms: [algorithm],
    ignoreExpiration: true, // `proofs/tokens/verification.ts` checks times
    ignoreNotBefore: true,
    cache: false,
  });
}
