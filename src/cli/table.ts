import { printable } from '../base/log-text.ts';

/** Prints rows as they come: at a terminal aligned below a header, for scripts separated by tabs. */
export interface Table {
  print(rows: readonly (readonly string[])[]): void;
}

const GAP = '  ';

/** @param isTerminal whether a person reads it */
export function createTable(
  header: readonly string[],
  isTerminal: boolean,
  write: (line: string) => void,
): Table {
  if (!isTerminal) return { print: (rows) => rows.forEach((row) => void write(row.join('\t'))) };
  let widths = header.map(columns);
  let hasHeader = false;

  const align = (row: readonly string[]) =>
    row
      .map((text, index) => text + ' '.repeat(Math.max(0, (widths[index] ?? 0) - columns(text))))
      .join(GAP)
      .trimEnd();

  return {
    print(rows) {
      const texts = rows.map((row) => row.map(printable));
      // A list may be long, so each part is aligned when it comes. No column gets narrower.
      widths = widths.map((width, index) =>
        Math.max(width, ...texts.map((row) => columns(row[index] ?? ''))),
      );
      if (!hasHeader) write(align(header));
      hasHeader = true;
      for (const row of texts) write(align(row));
    },
  };
}

/** East Asian wide characters and emoji (UAX #11), which take two columns of a terminal. */
const WIDE =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;
const MARK = /[\p{Mn}\p{Me}]/u;

/** How many columns of a terminal a text takes. */
export function columns(text: string): number {
  return [...text].reduce((sum, character) => {
    if (MARK.test(character)) return sum;
    return sum + (WIDE.test(character) ? 2 : 1);
  }, 0);
}
