import type { z } from 'zod';
import { codeOf } from '../error-code.ts';
import { quoted } from '../log-text.ts';
import { decodeSegment, MAX_TOKEN_LENGTH, splitJws } from './jws.ts';
import { SIGNED_KINDS, type SignedKind, type TokenKind } from './profiles.ts';

/* Why a token is refused, in the words of the log at the level debug. What the texts repeat of it is never its signature. */

/** Of a text whose header cannot be that of the kind. */
export function explainHeader(token: string, kind: SignedKind, maxLength = MAX_TOKEN_LENGTH): string {
  const segments = splitJws(token, maxLength);
  if (!segments) return explainText(token, maxLength);
  const header = decodeSegment(segments.header);
  if (typeof header !== 'object' || header === null) return 'malformed: its header is no JSON object';
  const { typ, alg, kid } = header as Record<string, unknown>;
  const expected = SIGNED_KINDS[kind].typ;
  if (typ !== expected) {
    const [known] = Object.entries(SIGNED_KINDS).find(([, one]) => one.typ === typ) ?? [];
    return `wrong type: ${quoted(typ)}${known ? `, that of ${known} tokens` : ''}, expected ${quoted(expected)}`;
  }
  return `malformed: its header has alg ${quoted(alg)}, kid ${quoted(kid)}, or a critical extension, that no token has`;
}

/** Of a text that is no JWS in compact serialization. */
export function explainText(token: string, maxLength = MAX_TOKEN_LENGTH): string {
  if (token.length > maxLength) return `malformed: ${token.length} characters, at most ${maxLength} expected`;
  const parts = token.split('.').length;
  return parts === 3
    ? 'malformed: a part is no base64url'
    : `malformed: ${parts} ${parts === 1 ? 'part' : 'parts'} between dots, expected 3`;
}

/** Of a token whose `kid` gives no key that could have signed it. */
export function explainKey(
  { kid, alg }: { kid: string; alg: string },
  key: { algorithm: string; signs: TokenKind } | undefined,
  signer: TokenKind,
): string {
  if (!key) return `unknown key id ${quoted(kid)}, or one that is retired`;
  if (key.signs !== signer)
    return `wrong key: ${quoted(kid)} signs ${key.signs} tokens, expected one for ${signer} tokens`;
  return `wrong algorithm: ${quoted(alg)}, expected ${quoted(key.algorithm)}`;
}

/** What the library says of a signature: that it is another, of no possible length, or empty. */
const BAD_SIGNATURE: readonly unknown[] = [
  'FAST_JWT_INVALID_SIGNATURE',
  'FAST_JWT_VERIFY_ERROR',
  'FAST_JWT_MISSING_SIGNATURE',
];

/** Of a token that the library refuses, whose texts may repeat it. */
export function explainSignature(cause: unknown): string {
  return BAD_SIGNATURE.includes(codeOf(cause))
    ? 'bad signature: not signed by the key that it names, or changed since'
    : 'malformed: its payload cannot be read';
}

/** Of a payload that is none of the kind. */
export function explainClaims({ issues: [issue] }: z.ZodError, payload: unknown): string {
  const claim = `malformed: the claim ${quoted(issue?.path.join('.'))}`;
  return Object(payload)[String(issue?.path[0])] === undefined
    ? `${claim} is missing`
    : `${claim}: ${issue?.message}`;
}

/** @param longestSeconds how long such a token is good at most by today's settings */
export function explainExpiry(
  { iat, exp }: { iat: number; exp: number },
  now: number,
  longestSeconds: number,
) {
  return now >= exp
    ? `expired ${now - exp} s ago`
    : `issued ${now - iat} s ago, at most ${longestSeconds} s expected by the lifetimes of today`;
}
