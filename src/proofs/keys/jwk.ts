import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { SigningAlgorithm } from '../../config/config.ts';

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

/** The members of an asymmetric key that may be published: the required ones, `kid`, `alg`, `use` (RFC 7517 §4). */
export function toPublicJwk(jwk: Exclude<PrivateJwk, { kty: 'oct' }>): PublicJwk {
  return { ...requiredMembers(jwk), kty: jwk.kty, kid: thumbprint(jwk), alg: jwk.alg, use: 'sig' };
}

/** The public half of an asymmetric key, or a whole secret, in the order of RFC 7638 §3.3. */
export function requiredMembers(jwk: PrivateJwk): Record<string, string> {
  const members: Record<string, unknown> = jwk;
  return Object.fromEntries(REQUIRED_MEMBERS[jwk.kty].map((name) => [name, String(members[name])]));
}
