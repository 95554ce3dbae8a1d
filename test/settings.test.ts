import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { settingsPage } from '../scripts/settings/page.ts';
import { readConfig } from '../src/config/config.ts';
import { VARIABLES } from '../src/config/settings.ts';

describe('the table of settings', () => {
  const page = readFileSync('docs/settings.md', 'utf8');
  /** @param column that of the defaults */
  const rowsOf = (text: string, column: number) =>
    [...text.matchAll(/^\| `[A-Z].*$/gm)].map(([line]) => {
      const [, names = '', ...cells] = line.split('|');
      const [, value] = /`([^`]+)`/.exec(cells[column] ?? '') ?? [];
      return { names: [...names.matchAll(/`([A-Z0-9_]+)`/g)].map(([, name = '']) => name), value };
    });
  const rows = rowsOf(page, 1);
  const eight = rowsOf(readFileSync('README.md', 'utf8'), 0);

  test('is what the settings say', () => {
    expect(page, 'run "node scripts/settings.ts"').toBe(settingsPage());
  });

  test('names every variable that the configuration reads', () => {
    expect(rows.flatMap(({ names }) => names).sort()).toEqual([...VARIABLES].sort());
    expect(eight).toHaveLength(8);
    expect(eight.flatMap(({ names }) => names).filter((name) => !VARIABLES.has(name))).toEqual([]);
  });

  test.each([
    ['docs/settings.md', rows, 20],
    ['the README', eight, 5],
  ])('gives defaults that mean what no setting means, in %s', (_, table, least) => {
    const values = table.flatMap(({ names: [name = ''], value }) =>
      value ? [[name, value.replace('DATA_DIR/', 'data/').replace('PORT', '3000')]] : [],
    );
    expect(values.length).toBeGreaterThan(least);
    expect(readConfig(Object.fromEntries(values))).toEqual(readConfig({}));
  });
});
