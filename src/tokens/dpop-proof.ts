import { createHash, createPublicKey, verify } from 'node:crypto';
import { z } from 'zod';
import { decodeSegment, splitJws } from './jws.ts';

/** What a proof says, once its own key has signed it. */
export interface DpopProof {
  /** The thumbprint (RFC 7638) of that key. */
  jkt: string;
  claims: z.infer<typeof ProofClaims>;
}

/** 32 bytes in their one spelling (RFC 4648 §3.5), so that a key has one thumbprint. */
const coordinate = z.string().regex(/^[\w-]{42}[AEIMQUYcgkosw048]$/);
/** A private member in a public header would be a leak, not a proof. */
const noPrivateHalf = { d: z.undefined().optional(), k: z.undefined().optional() };
const common = { typ: z.literal('dpop+jwt'), crit: z.undefined().optional() };

/** RFC 9449 §4.2, with the two algorithms that are allowed here, each with its own type of key. */
const ProofHeader = z.union([
  z.object({
    ...common,
    alg: z.literal('ES256'),
    jwk: z.object({
      kty: z.literal('EC'),
      crv: z.literal('P-256'),
      x: coordinate,
      y: coordinate,
      ...noPrivateHalf,
    }),
  }),
  z.object({
    ...common,
    alg: z.enum(['EdDSA', 'Ed25519']), // RFC 9864 gave the second name
    jwk: z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: coordinate, ...noPrivateHalf }),
  }),
]);
type ProofHeader = z.infer<typeof ProofHeader>;

const ProofClaims = z.object({
  jti: z.string().min(1).max(256),
  htm: z.string(),
  htu: z.string(),
  /** Required, and not believed: the nonce tells the time, so that a client's clock may be wrong. */
  iat: z.number(),
  ath: z.string().optional(),
  nonce: z.string().optional(),
});

/** The checks of RFC 9449 §4.3 that need nothing but the proof; undefined when one fails. */
export function readDpopProof(proof: string): DpopProof | undefined {
  const segments = splitJws(proof);
  if (!segments) return undefined;
  const header = ProofHeader.safeParse(decodeSegment(segments.header)).data;
  const claims = ProofClaims.safeParse(decodeSegment(segments.payload)).data;
  if (!header || !claims) return undefined;
  const input = `${segments.header}.${segments.payload}`;
  return isSigned(header, input, segments.signature) ? { jkt: thumbprintOf(header.jwk), claims } : undefined;
}

/** SHA-256 in base64url, as `ath` and thumbprints are written. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

function isSigned({ alg, jwk }: ProofHeader, input: string, signature: string): boolean {
  try {
    const key = createPublicKey({ key: publicMembers(jwk), format: 'jwk' });
    const digest = alg === 'ES256' ? 'sha256' : null;
    const bytes = Buffer.from(signature, 'base64url');
    return verify(digest, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }, bytes);
  } catch {
    return false; // a point that is not on the curve
  }
}

/** RFC 7638 §3.2: the required members in lexicographic order. */
function thumbprintOf(jwk: ProofHeader['jwk']): string {
  return sha256(JSON.stringify(publicMembers(jwk)));
}

function publicMembers(jwk: ProofHeader['jwk']): Record<string, string> {
  const { crv, kty, x } = jwk;
  return jwk.kty === 'EC' ? { crv, kty, x, y: jwk.y } : { crv, kty, x };
}
