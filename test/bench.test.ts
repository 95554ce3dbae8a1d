import { expect, test } from 'vitest';
import { readArguments } from '../bench/arguments.ts';
import type { Part, Table } from '../bench/part.ts';
import { chartFile, formatReport } from '../bench/report.ts';
import { spreadOf } from '../bench/statistics.ts';

const parts: Part[] = ['verify', 'tokens'].map((name) => ({ name, measure: async () => [] }));

test('a spread is the median and the quartiles, whatever the order', () => {
  expect(spreadOf([5, 1, 4, 2, 3])).toEqual({
    median: 3,
    lowerQuartile: 2,
    upperQuartile: 4,
    repetitions: 5,
  });
});

test('quartiles lie between measurements where no measurement is one', () => {
  expect(spreadOf([1, 2])).toMatchObject({ lowerQuartile: 1.25, median: 1.5, upperQuartile: 1.75 });
});

test('all parts are measured unless some are named', () => {
  expect(readArguments([], parts)).toEqual({ quick: false, chosen: parts });
  expect(readArguments(['tokens', '--quick'], parts)).toEqual({ quick: true, chosen: [parts[1]] });
});

test('a part that takes very long is measured only when it is named', () => {
  const long: Part = { name: 'directory', byNameOnly: true, measure: async () => [] };
  expect(readArguments([], [...parts, long]).chosen).toEqual(parts);
  expect(readArguments(['directory'], [...parts, long]).chosen).toEqual([long]);
});

test('an unknown part is refused with the names of those there are', () => {
  expect(() => readArguments(['verfiy'], parts)).toThrow(
    'There is no part "verfiy": name some of verify, tokens, or none for all.',
  );
});

test('an unknown option is refused', () => {
  expect(() => readArguments(['--fast'], parts)).toThrow('The options are --quick, and the names of parts.');
});

const table: Table = {
  title: 'Verifying, and more',
  method: 'By hand.',
  columns: ['ratio', 'requests/s'],
  rows: [
    {
      name: 'idcard',
      figures: { ratio: spreadOf([0.861, 0.852, 0.88]), 'requests/s': spreadOf([12_345.6]) },
      goal: { text: '≥ 0.85', reached: true },
    },
    { name: 'a | b', figures: { ratio: 'no redis-server on this machine' } },
  ],
  chart: { column: 'ratio', kind: 'bars' },
};

test('a report tells the machine, the versions, each figure with its spread, and which goals are reached', () => {
  const report = formatReport({
    takenAt: '2026-11-25T03:00:00.000Z',
    command: 'npm run bench',
    machine: { Cores: '2' },
    versions: { fastify: '5.0.0', wrk: '4.1.0' },
    method: ['In turn.'],
    quick: false,
    tables: [table],
  });
  expect(report).toContain('on 2026-11-25');
  expect(report).toContain('| Cores | 2 |');
  expect(report).toContain('fastify 5.0.0, wrk 4.1.0.');
  expect(report).toContain('![Verifying, and more](charts/verifying-and-more.svg)');
  expect(report).toContain('| idcard | 0.86 (0.86 to 0.87) | 12,346 | ≥ 0.85: reached |');
  expect(report).toContain('| a \\| b | no redis-server on this machine |  |  |');
});

test("a chart's file is named after its table", () => {
  expect(chartFile(table)).toBe('verifying-and-more.svg');
});
