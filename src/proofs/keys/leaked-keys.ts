/**
 * Secrets that the public knows. Wordlists of leaked JWT secrets hold texts that somebody typed or copied, so every secret that
 * reads as text is refused: the probability that 32 random bytes are valid UTF-8 without control characters is below 2^-40.
 * That covers future lists too. The keys below are printed as base64url, most of them in specifications.
 */

/** RFC 7638 thumbprints (the `kid`) of keys that are printed with their private half. */
const PRINTED_KEYS: ReadonlySet<string> = new Set([
  'y_x3gCJnL6oKGBBIXScabduwxTVy2Wd2bzRVEUbdUzc', // RFC 7515 A.1, HS256
  'oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U', // RFC 7515 A.3, ES256
  'cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s', // RFC 7517 A.2, ES256; signs the examples of openapi.yaml
  'RtoRur_1Dir5M4wuOfqNkDYOf9O_4RJ-aHkTA75RLA8', // RFC 7520 §3.5, HS256
  'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k', // RFC 8037 A.1, EdDSA
  '19J8y7Zprt2-QKLjF2I5pVk0OELX6cY2AfaAv1LC_w8', // jwt.io's example, ES256
  '_bE4A7y61ul2hBuw9yCR0s-kOkGZgewpBcHi9OFWx3Q', // lists of leaked JWT secrets, HS256
  'wOuujsx_dajUyGhIe9CLA_W-xiJ50t3PceXZ1uX8E8o',
]);

export function isLeakedKey(thumbprint: string): boolean {
  return PRINTED_KEYS.has(thumbprint);
}

/** Whether bytes are a text: valid UTF-8 without control characters other than white space. */
export function isReadableText(bytes: Uint8Array): boolean {
  try {
    return !/[^\P{Cc}\s]/u.test(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return false;
  }
}
