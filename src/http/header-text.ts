/* Writes texts that others chose into headers: as UTF-8, percent-encoded (RFC 3986 §2.1) where needed. */

/** A text that needs no encoding: visible ASCII without "%", which begins an encoded byte. */
const PLAIN = /^[!-$&-~]*$/;
/** The same without ",", which separates the items of a list. */
const PLAIN_ITEM = /^[!-$&-+\--~]*$/;

export function headerText(text: string): string {
  return PLAIN.test(text) ? text : encode(text);
}

export function headerList(texts: readonly string[]): string {
  return texts.map((text) => (PLAIN_ITEM.test(text) ? text : encode(text).replaceAll(',', '%2C'))).join(',');
}

/** Half a surrogate pair is no character, and becomes U+FFFD. */
function encode(text: string): string {
  return text.toWellFormed().replace(/[^!-$&-~]/gu, encodeURIComponent);
}
