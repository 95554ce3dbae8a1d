import { z } from 'zod';

/** Longer than any token that fits into a cookie. */
const MAX_TOKEN_LENGTH = 4096;

/**
 * One base64url text for each sequence of bytes: no padding, no foreign character, and the bits that the last
 * character does not need are zero (RFC 4648 §3.5), so that a token cannot be respelled.
 */
const SEGMENT = '(?:[\\w-]{4})*(?:[\\w-]{2}[AEIMQUYcgkosw048]|[\\w-][AQgw])?';
const COMPACT_JWS = new RegExp(`^(${SEGMENT})\\.${SEGMENT}\\.${SEGMENT}$`);

const Header = z.object({
  alg: z.string(),
  typ: z.string(),
  kid: z.string().max(128),
  /** RFC 7515 §4.1.11: an extension that is critical and not understood; none is. */
  crit: z.undefined().optional(),
});

export type JwsHeader = z.infer<typeof Header>;

/**
 * The header of a JWS in compact serialization (RFC 7515 §7.1), or undefined when it is none that idcard could
 * have made. Members that point to keys (`jwk`, `jku`, `x5u`, `x5c`) are not even looked at (RFC 8725 §3.10).
 */
export function readJwsHeader(token: string): JwsHeader | undefined {
  if (token.length > MAX_TOKEN_LENGTH) return undefined;
  const encoded = COMPACT_JWS.exec(token)?.[1];
  if (!encoded) return undefined;
  try {
    return Header.safeParse(JSON.parse(Buffer.from(encoded, 'base64url').toString())).data;
  } catch {
    return undefined; // not JSON
  }
}
