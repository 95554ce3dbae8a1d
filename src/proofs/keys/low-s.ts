/** The order of P-256 (FIPS 186-5, SP 800-186 §3.2.1.3). */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const HALF = Buffer.from((ORDER >> 1n).toString(16), 'hex');

/**
 * The token, with the lower s in its signature. An ES256 signature (r, s) is valid as (r, n − s) too, so anybody can respell a
 * token. Both are accepted: other libraries sign either, and nothing here depends on the text of a token alone.
 * @param token signed with ES256
 */
export function withLowS(token: string): string {
  const start = token.lastIndexOf('.') + 1;
  const signature = Buffer.from(token.slice(start), 'base64url');
  if (signature.compare(HALF, 0, 32, 32) <= 0) return token;
  const s = BigInt(`0x${signature.toString('hex', 32)}`);
  signature.write((ORDER - s).toString(16).padStart(64, '0'), 32, 'hex');
  return token.slice(0, start) + signature.toString('base64url');
}
