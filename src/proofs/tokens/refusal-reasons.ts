import { codeOf } from '../../base/error-code.ts';
import { quoted } from '../../base/log-text.ts';
import { decodeSegment, MAX_TOKEN_LENGTH, splitJws } from '../jws.ts';
import type { TokenKind } from '../keys/key-set.ts';
import { explainText } from '../malformed.ts';
import { SIGNED_KINDS, type SignedKind } from './profiles.ts';

/* Why a token is refused, for the log at the level debug. No text repeats a signature. */

/** The reason for a header that the kind cannot have. */
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

/** The reason for a `kid` whose key cannot have signed the token. */
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

/** The library's codes for a signature that is wrong, of an impossible length, or empty. */
const BAD_SIGNATURE: readonly unknown[] = [
  'FAST_JWT_INVALID_SIGNATURE',
  'FAST_JWT_VERIFY_ERROR',
  'FAST_JWT_MISSING_SIGNATURE',
];

/** The reason for a token that the library refuses. The library's own message may repeat the token. */
export function explainSignature(cause: unknown): string {
  return BAD_SIGNATURE.includes(codeOf(cause))
    ? 'bad signature: not signed by the key that it names, or changed since'
    : 'malformed: its payload cannot be read';
}

/** @param longestSeconds how long such a token lives at most by today's settings */
export function explainExpiry(
  { iat, exp }: { iat: number; exp: number },
  now: number,
  longestSeconds: number,
) {
  return now >= exp
    ? `expired ${now - exp} s ago`
    : `issued ${now - iat} s ago, at most ${longestSeconds} s expected by the lifetimes of today`;
}
