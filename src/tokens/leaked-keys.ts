/**
 * Secrets that the public knows. Wordlists of leaked JWT secrets hold texts that somebody typed or copied, so a
 * secret that reads as text is refused as such: 32 random bytes are valid UTF-8 without control characters with
 * a probability below 2^-40. That covers the lists of today and those of tomorrow. What is left are keys that are
 * printed as base64url, in specifications above all.
 */

/** RFC 7638 thumbprints (the `kid`) of keys printed with their private half in public documents. */
const PRINTED_KEYS: ReadonlySet<string> = new Set([]);

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
