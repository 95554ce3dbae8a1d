/* Texts that others chose, as they stand in a header: UTF-8, percent-encoded (RFC 3986 §2.1) where it has to be. */

/** What stands as it is: visible ASCII, less "%", which begins an encoded byte. */
const PLAIN = /^[!-$&-~]*$/;
/** The same less ",", which separates the items of a list. */
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
