import { describe, expect, test } from 'vitest';
import { placeOfJsonError } from '../../src/http/json-error.ts';

const BROKEN: [what: string, text: string, place: string][] = [
  ['nothing', '', 'line 1, column 1'],
  ['blanks', ' \n ', 'line 2, column 2'],
  ['a word', '{"email": ada}', 'line 1, column 11'],
  ['single quotes', "{'email':'a'}", 'line 1, column 2'],
  ['no quotes at all, as a shell leaves them', '{email:a}', 'line 1, column 2'],
  ['a comma too many', '{"a":1,}', 'line 1, column 8'],
  ['a comma too many in a list', '[1,\n]', 'line 2, column 1'],
  ['a comma too few', '{"a":1\n "b":2}', 'line 2, column 2'],
  ['no colon', '{"a" 1}', 'line 1, column 6'],
  ['a number as a name', '{1:2}', 'line 1, column 2'],
  ['an end that is missing', '{"a":{"b":[1]}', 'line 1, column 15'],
  ['a text without its end', '{"a":"b}', 'line 1, column 6'],
  ['a line break in a text', '{"a":"x\ny"}', 'line 1, column 6'],
  ['an unknown escape', '{"a":"\\x"}', 'line 1, column 6'],
  ['two values', '{} {}', 'line 1, column 4'],
  ['the wrong bracket', '{"a":[1}', 'line 1, column 8'],
  ['a bracket too many', '1]', 'line 1, column 2'],
  ['NaN', '[NaN]', 'line 1, column 2'],
  ['a leading zero', '[01]', 'line 1, column 3'],
  ['a colon in a list', '["a":1]', 'line 1, column 5'],
  ['another blank', '{"a":\u00a01}', 'line 1, column 6'],
];

test.each(BROKEN)('%s', (_, text, place) => {
  expect(() => JSON.parse(text)).toThrow();
  expect(placeOfJsonError(text)).toBe(place);
});

describe('what is JSON has no such place', () => {
  const sound = [
    '{}',
    '[]',
    'null',
    ' [true, false, null, -0.5E+3, "\\u00e9\\n\u007f\u2028", {"a": {"b": [[], {}]}}]\r\n\t',
    JSON.stringify(JSON.stringify({ deep: ['"\\', ''] })),
    '['.repeat(8000) + ']'.repeat(8000),
  ];
  test.each(sound)('%.40s', (text) => {
    expect(() => JSON.parse(text)).not.toThrow();
    expect(placeOfJsonError(text)).toBeUndefined();
  });
});

test('a text that is cut anywhere breaks at its end, or where its last word began', () => {
  const text = '{"email":"ada@example.com","list":[1,{"a":null}]}';
  for (let length = 1; length < text.length; length++) {
    const column = Number(placeOfJsonError(text.slice(0, length))?.split(' ').at(-1));
    expect(column).toBeGreaterThan(0);
    expect(column).toBeLessThanOrEqual(length + 1);
  }
});
