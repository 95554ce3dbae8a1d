/** Stands for bytes that were not UTF-8, wherever somebody decoded them without an error; as Node.js does with arguments. */
const REPLACEMENT_CHARACTER = '\ufffd';

/** Undefined when it is not UTF-8: replaced bytes would make two passwords one. A byte order mark at the start is no text. */
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
