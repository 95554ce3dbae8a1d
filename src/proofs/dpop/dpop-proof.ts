import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { z } from 'zod';
import { createBoundedMap, ownText } from '../../base/bounded-map.ts';
import { sha256 } from '../../base/digest.ts';
import { quoted } from '../../base/log-text.ts';
import { withoutStack } from '../../problems/without-stack.ts';
import { decodeSegment, splitJws } from '../jws.ts';
import { explainClaims, explainText } from '../malformed.ts';

/** The content of a proof whose signature is right. */
export interface DpopProof {
  /** The thumbprint (RFC 7638) of the key that signed the proof. */
  jkt: string;
  claims: z.infer<typeof ProofClaims>;
}

/** 32 bytes in their only spelling (RFC 4648 §3.5), so that a key has one thumbprint. */
const coordinate = z.string().regex(/^[\w-]{42}[AEIMQUYcgkosw048]$/);
/** A header with a private member leaks the key, and proves nothing. */
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
  /** Required, but not compared: the nonce tells the time, so that the clock of a client may be wrong. */
  iat: z.number(),
  ath: z.string().optional(),
  nonce: z.string().optional(),
});

/** The key that the header of a proof brings along. */
interface ProofKey {
  algorithm: ProofHeader['alg'];
  publicKey: KeyObject;
  jkt: string;
}

/**
 * Makes the checks of RFC 9449 §4.3 that need only the proof; undefined when one fails. A client sends the same header each
 * time, and reading its key costs half as much as checking a signature. So keys are remembered, but only those that signed a proof.
 * @param keysRemembered how many at most; each takes some 3 kB
 */
export function createProofReader(keysRemembered: number): (proof: string) => DpopProof | undefined {
  const keys = createBoundedMap<ProofKey>(keysRemembered);
  return (proof) => {
    const segments = splitJws(proof);
    if (!segments) return undefined;
    const known = keys.get(segments.header);
    const key = known ?? readKey(segments.header);
    const claims = ProofClaims.safeParse(decodeSegment(segments.payload)).data;
    if (!key || !claims) return undefined;
    if (!isSigned(key, `${segments.header}.${segments.payload}`, segments.signature)) return undefined;
    if (!known) keys.set(ownText(segments.header), key);
    return { jkt: key.jkt, claims };
  };
}

/** Why a proof is refused, for the log at the level debug. */
export function explainProof(proof: string): string {
  const segments = splitJws(proof);
  if (!segments) return explainText(proof);
  if (!readKey(segments.header)) {
    const { typ, alg, jwk } = Object(decodeSegment(segments.header));
    return `its header has typ ${quoted(typ)}, alg ${quoted(alg)}, kty ${quoted(Object(jwk).kty)}; expected are "dpop+jwt", ES256 or EdDSA, and a public key (jwk) for it, alone`;
  }
  const payload = decodeSegment(segments.payload);
  const { error } = ProofClaims.safeParse(payload);
  return error
    ? explainClaims(error, payload)
    : 'bad signature: not signed by the key that it brings, or changed since';
}

function readKey(headerSegment: string): ProofKey | undefined {
  const header = ProofHeader.safeParse(decodeSegment(headerSegment)).data;
  if (!header) return undefined;
  try {
    const publicKey = withoutStack(() => createPublicKey({ key: publicMembers(header.jwk), format: 'jwk' }));
    return { algorithm: header.alg, publicKey, jkt: thumbprintOf(header.jwk) };
  } catch {
    return undefined; // a point that is not on the curve
  }
}

function isSigned({ algorithm, publicKey }: ProofKey, input: string, signature: string): boolean {
  const digest = algorithm === 'ES256' ? 'sha256' : null;
  const key = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const;
  return withoutStack(() => verify(digest, Buffer.from(input), key, Buffer.from(signature, 'base64url')));
}

/** RFC 7638 §3.2: the required members in lexicographic order. */
function thumbprintOf(jwk: ProofHeader['jwk']): string {
  return sha256(JSON.stringify(publicMembers(jwk)));
}

function publicMembers(jwk: ProofHeader['jwk']): Record<string, string> {
  const { crv, kty, x } = jwk;
  return jwk.kty === 'EC' ? { crv, kty, x, y: jwk.y } : { crv, kty, x };
}
