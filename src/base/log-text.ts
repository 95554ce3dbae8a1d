/* Texts that strangers wrote, as they stand in a log: no line of it may be forged, and no terminal steered, by one of them. */

/** The level at which the log says why; loggers of other programs may be no pino. */
export function logsDebug(log: { level?: string; isLevelEnabled?(level: string): boolean }): boolean {
  return log.isLevelEnabled?.('debug') ?? (log.level === 'debug' || log.level === 'trace');
}

/** Longer values are cut. */
const MOST_CHARACTERS = 200;

/** A value as JSON, such as `"x"`; "none" where there is none. */
export function quoted(value: unknown): string {
  const text = JSON.stringify(value) ?? 'none';
  return printable(text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text);
}

/** An address without what may be secret in it: query and fragment, user and password. */
export function publicPart(address: string): string {
  return address.replace(/[?#].*$/s, '').replace(/^([a-z][a-z0-9+.-]*:)[\\/]*[^\\/]*@/i, '$1//');
}

/** The text with everything escaped that a terminal acts on or does not show: control characters, turned writing, line breaks. */
export function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) =>
    [...Array(character.length).keys()]
      .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
