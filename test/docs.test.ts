import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const files = [...globSync('*.md'), ...globSync('{docs,deploy,examples}/**/*.md')].filter(
  (file) => !file.includes('node_modules'),
);

/** The anchors of a file's headings, as GitHub makes them. */
function anchorsOf(file: string): string[] {
  const headings = [...readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** A folder is shown by its README. */
function pageOf(path: string): string {
  const readme = join(path, 'README.md');
  return existsSync(readme) ? readme : path;
}

test('every link of the documentation leads somewhere', () => {
  const links = files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g)].map(
      ([, path = '', anchor]) => ({
        file,
        target: path === '' ? file : pageOf(join(dirname(file), path)),
        anchor,
      }),
    ),
  );
  expect(links.length).toBeGreaterThan(50);
  const dead = links.filter(
    ({ target, anchor }) =>
      !existsSync(target) || (anchor !== undefined && !anchorsOf(target).includes(anchor)),
  );
  expect(dead).toEqual([]);
});
