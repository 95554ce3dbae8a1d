import { z } from 'zod';

/** Tokens fit into a cookie, which has at most this length. */
export const MAX_TOKEN_LENGTH = 4096;

/**
 * The only base64url text of a sequence of bytes: no padding, no foreign character, and the unused bits of the last character
 * are zero (RFC 4648 §3.5). An ES256 signature may still have two values: `low-s.ts`.
 */
const SEGMENT = '((?:[\\w-]{4})*(?:[\\w-]{2}[AEIMQUYcgkosw048]|[\\w-][AQgw])?)';
const COMPACT_JWS = new RegExp(`^${SEGMENT}\\.${SEGMENT}\\.${SEGMENT}$`);

const TokenHeader = z.object({
  alg: z.string(),
  typ: z.string(),
  kid: z.string().max(128),
  /** RFC 7515 §4.1.11: critical extensions. idcard understands none, so there must be none. */
  crit: z.undefined().optional(),
});

/** The three segments of a JWS in compact serialization (RFC 7515 §7.1); undefined for any other text. */
export function splitJws(
  token: string,
  maxLength = MAX_TOKEN_LENGTH,
): { header: string; payload: string; signature: string } | undefined {
  if (token.length > maxLength) return undefined;
  const [, header, payload, signature] = COMPACT_JWS.exec(token) ?? [];
  return header === undefined || payload === undefined || signature === undefined
    ? undefined
    : { header, payload, signature };
}

/** The JSON value of a segment; undefined when it has none. */
export function decodeSegment(segment: string): unknown {
  try {
    return JSON.parse(Buffer.from(segment, 'base64url').toString());
  } catch {
    return undefined;
  }
}

/**
 * The header of a token that idcard could have made; undefined otherwise. Members that point to keys (`jwk`, `jku`,
 * `x5u`, `x5c`) are not even looked at (RFC 8725 §3.10).
 */
export function readTokenHeader(token: string, maxLength?: number): z.infer<typeof TokenHeader> | undefined {
  const segments = splitJws(token, maxLength);
  return segments && TokenHeader.safeParse(decodeSegment(segments.header)).data;
}
