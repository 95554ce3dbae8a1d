/* Texts that strangers wrote, as they stand in a log: no line of it may be forged, and no terminal steered, by one of them. */

/** Whether the log has the level debug, at which it tells reasons. The logger of an embedding program need not be pino. */
export function logsDebug(log: { level?: string; isLevelEnabled?(level: string): boolean }): boolean {
  return log.isLevelEnabled?.('debug') ?? (log.level === 'debug' || log.level === 'trace');
}

/** Longer values are cut. */
const MOST_CHARACTERS = 200;

/** A value as JSON, such as `"x"`; "none" for undefined. */
export function quoted(value: unknown): string {
  const text = JSON.stringify(value) ?? 'none';
  return printable(text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text);
}

/** An address without query and fragment, user and password, which may be secret. */
export function publicPart(address: string): string {
  return address.replace(/[?#].*$/s, '').replace(/^([a-z][a-z0-9+.-]*:)[\\/]*[^\\/]*@/i, '$1//');
}

/** A text in which control characters, line breaks and marks of direction are escaped: a terminal acts on them or hides them. */
export function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) =>
    [...Array(character.length).keys()]
      .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
