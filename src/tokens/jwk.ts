import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { z } from 'zod';
import type { SigningAlgorithm } from '../config.ts';
import { StartupError } from '../startup-error.ts';
import { isLeakedKey, isReadableText } from './leaked-keys.ts';

export type KeyAlgorithm = SigningAlgorithm | 'HS256';

/** A base64url text (RFC 7515 §2): no padding, no other alphabet. */
const base64url = z.string().regex(/^[A-Za-z0-9_-]+$/);
const seconds = z.int().nonnegative();

const common = {
  kid: z.string().optional(),
  use: z.literal('sig').optional(),
  /** From when the key signs, and when it is retired: NumericDate. */
  nbf: seconds.optional(),
  exp: seconds.optional(),
};

/** A private key of the JWK Set file (RFC 7517), of the types and curves that idcard signs with. */
export const PrivateJwk = z.union([
  z.object({
    ...common,
    kty: z.literal('EC'),
    crv: z.literal('P-256'),
    alg: z.literal('ES256').default('ES256'),
    x: base64url,
    y: base64url,
    d: base64url,
  }),
  z.object({
    ...common,
    kty: z.literal('OKP'),
    crv: z.literal('Ed25519'),
    alg: z.literal('EdDSA').default('EdDSA'),
    x: base64url,
    d: base64url,
  }),
  z.object({
    ...common,
    kty: z.literal('RSA'),
    alg: z.literal('RS256').default('RS256'),
    n: base64url,
    e: base64url,
    d: base64url,
    p: base64url,
    q: base64url,
    dp: base64url,
    dq: base64url,
    qi: base64url,
  }),
  z.object({ ...common, kty: z.literal('oct'), alg: z.literal('HS256').default('HS256'), k: base64url }),
]);

export type PrivateJwk = z.infer<typeof PrivateJwk>;

/** A public key as it is published (RFC 7517 §4). */
export const PublicJwk = z.object({
  kty: z.enum(['EC', 'OKP', 'RSA']),
  kid: z.string(),
  alg: z.enum(['ES256', 'EdDSA', 'RS256']),
  use: z.literal('sig'),
  crv: z.string().optional(),
  x: z.string().optional(),
  y: z.string().optional(),
  n: z.string().optional(),
  e: z.string().optional(),
});
export type PublicJwk = z.infer<typeof PublicJwk>;

const MIN_SECRET_BYTES = 32;
const MIN_RSA_BITS = 3072;
/** 32 random bytes hold about 30 different ones. */
const MIN_DISTINCT_BYTES = 8;

/** The members that make a key what it is, in the order that RFC 7638 §3.2 hashes them. */
const REQUIRED_MEMBERS = {
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
  RSA: ['e', 'kty', 'n'],
  oct: ['k', 'kty'],
} as const;

/** RFC 7638 JWK Thumbprint with SHA-256, as 43 characters of base64url. */
export function thumbprint(jwk: PrivateJwk): string {
  return createHash('sha256')
    .update(JSON.stringify(requiredMembers(jwk)))
    .digest('base64url');
}

/** What may be published of an asymmetric key: required members, `kid`, `alg`, `use` (RFC 7517 §4). */
export function toPublicJwk(jwk: Exclude<PrivateJwk, { kty: 'oct' }>): PublicJwk {
  return { ...requiredMembers(jwk), kty: jwk.kty, kid: thumbprint(jwk), alg: jwk.alg, use: 'sig' };
}

function requiredMembers(jwk: PrivateJwk): Record<string, string> {
  const members: Record<string, unknown> = jwk;
  return Object.fromEntries(REQUIRED_MEMBERS[jwk.kty].map((name) => [name, String(members[name])]));
}

/** PEM texts or raw bytes, since @fastify/jwt takes nothing else. */
export type KeyMaterial = { private: string; public: string } | Buffer;

/**
 * Imports a key and refuses one that is weak, malformed, known to the public, or whose halves do not match.
 * @throws StartupError
 */
export function importKey(jwk: PrivateJwk): KeyMaterial {
  const kid = thumbprint(jwk);
  if (jwk.kid !== undefined && jwk.kid !== kid)
    throw refusal(jwk, 'has a kid other than its RFC 7638 thumbprint');
  if (isLeakedKey(kid)) throw refusal(jwk, 'is printed in a public document');
  return jwk.kty === 'oct' ? importSecret(jwk) : importKeyPair(jwk);
}

function importSecret(jwk: Extract<PrivateJwk, { kty: 'oct' }>): Buffer {
  const secret = Buffer.from(jwk.k, 'base64url');
  if (secret.length < MIN_SECRET_BYTES) throw refusal(jwk, `is shorter than ${MIN_SECRET_BYTES} bytes`);
  if (isReadableText(secret) || /^[0-9a-f-]+$/i.test(jwk.k))
    throw refusal(jwk, 'is a text and not random bytes');
  if (new Set(secret).size < MIN_DISTINCT_BYTES) throw refusal(jwk, 'is not random');
  return secret;
}

function importKeyPair(jwk: Exclude<PrivateJwk, { kty: 'oct' }>): { private: string; public: string } {
  const { privateKey, publicKey } = matchingHalves(jwk);
  const bits = privateKey.asymmetricKeyDetails?.modulusLength;
  if (bits !== undefined && bits < MIN_RSA_BITS) {
    throw refusal(jwk, `has ${bits} bits, fewer than ${MIN_RSA_BITS}`);
  }
  return {
    private: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    public: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

/** The published half comes from the set's own members: a signature shows that it belongs to the private one. */
function matchingHalves(jwk: Exclude<PrivateJwk, { kty: 'oct' }>): {
  privateKey: KeyObject;
  publicKey: KeyObject;
} {
  try {
    const privateKey = createPrivateKey({ key: jwk, format: 'jwk' });
    const publicKey = createPublicKey({ key: requiredMembers(jwk), format: 'jwk' });
    const digest = jwk.kty === 'OKP' ? null : 'sha256';
    const probe = Buffer.from('idcard');
    if (verify(digest, probe, publicKey, sign(digest, probe, privateKey))) return { privateKey, publicKey };
  } catch {
    // Node's reason may repeat the key.
  }
  throw refusal(jwk, 'is malformed, or whose private half does not fit its public half');
}

function refusal(jwk: PrivateJwk, reason: string): StartupError {
  const kid = thumbprint(jwk).slice(0, 8);
  return new StartupError(
    `The key set has a key (${jwk.kty}, kid ${kid}…) that ${reason}: replace it, or remove it.`,
  );
}
