/** Blanks, and then a sign, a string, or a number or word (RFC 8259 §2 to §7). */
const TOKEN =
  /[ \t\r\n]*(?:([{}[\],:])|("(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*")|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/uy;

const ANY_VALUE = { '{': 'first key', '[': 'first value', string: 'end of value', other: 'end of value' };
/** For each place in a text: which token may come, and which place follows it. */
const GRAMMAR: Record<string, Record<string, string>> = {
  value: ANY_VALUE,
  'first value': { ...ANY_VALUE, ']': 'end of value' },
  key: { string: 'colon' },
  'first key': { string: 'colon', '}': 'end of value' },
  colon: { ':': 'value' },
  'end of value': { end: 'end' },
  'end of value in {': { ',': 'key', '}': 'end of value' },
  'end of value in [': { ',': 'value', ']': 'end of value' },
};

/**
 * Where a text stops being JSON, as `line 2, column 7`; undefined when it is JSON. `JSON.parse` does not always say
 * where, and its message repeats a part of the text, which may be a secret.
 */
export function placeOfJsonError(text: string): string | undefined {
  const index = indexOfJsonError(text);
  if (index === undefined) return undefined;
  const lines = text.slice(0, index).split('\n');
  return `line ${lines.length}, column ${(lines.at(-1) ?? '').length + 1}`;
}

function indexOfJsonError(text: string): number | undefined {
  const open: string[] = [];
  let place = 'value';
  for (const { kind, index } of readTokens(text)) {
    const next = GRAMMAR[place]?.[kind];
    if (next === undefined) return index;
    if (kind === '{' || kind === '[') open.push(kind);
    if (kind === '}' || kind === ']') open.pop();
    place = next === 'end of value' && open.length > 0 ? `${next} in ${open.at(-1)}` : next;
  }
  return undefined;
}

function* readTokens(text: string): Generator<{ kind: string; index: number }> {
  TOKEN.lastIndex = 0;
  for (let end = 0; ; end = TOKEN.lastIndex) {
    const match = TOKEN.exec(text);
    const index = end + text.slice(end).search(/[^ \t\r\n]|$/);
    if (!match) return yield { kind: index === text.length ? 'end' : 'nothing', index };
    const [, sign, string] = match;
    yield { kind: sign ?? (string ? 'string' : 'other'), index };
  }
}
