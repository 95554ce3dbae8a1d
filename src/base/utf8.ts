/** U+FFFD: what decoders put in place of bytes that are not UTF-8, as Node.js does in arguments. */
const REPLACEMENT_CHARACTER = '\ufffd';

/** Undefined for bytes that are not UTF-8: replaced bytes would make two passwords one. A leading byte order mark is left out. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

export function hasLostBytes(text: string): boolean {
  return text.includes(REPLACEMENT_CHARACTER);
}
