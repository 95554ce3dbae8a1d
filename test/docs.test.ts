import { spawnSync } from 'node:child_process';
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

test('what the commands of the documentation write, git ignores', () => {
  const here = files.filter((file) => file !== 'docs/clients.md'); // whose reader is in a project of their own
  const written = here.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/^ *```sh\n(.*?)^ *```$/gms)].flatMap(([, script = '']) =>
      [...script.matchAll(WRITTEN)].map((match) => match[1] ?? ''),
    ),
  );
  expect(written).toEqual(
    expect.arrayContaining([
      'cookies.txt',
      'users.ndjson',
      'backup/keys.json',
      'ceremony/keys.json',
      'backup/idcard.sqlite',
    ]),
  );
  const isIgnored = (path: string) => spawnSync('git', ['check-ignore', '-q', path]).status === 0;
  expect(written.filter((path) => !isIgnored(path))).toEqual([]);
});

/** Cookies of curl, redirections, options of other programs, copies, and keys that are made where there are none. */
const WRITTEN =
  /(?:\s-c|[^|>]>|--output|--file=|cp \S+|install -m \d+ \S+|KEY_SET_FILE=|VACUUM INTO \?"\)\.run\() ?"?([\w./-]+)/g;

/** How many blocks of commands each file has, all of which a test runs as they stand. */
const RUN = {
  'README.md': 5, // readme, postman
  'deploy/README.md': 1, // deploy/compose
  'docs/README.md': 1, // package
  'docs/clients.md': 4, // clients
  'docs/keys.md': 2, // operations
  'docs/operations.md': 11, // operations, readme
  'examples/spa/README.md': 2, // readme
};

test('every command of the documentation is in a block that a test runs, but for those of container engines', () => {
  const blocks = files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/^ *```(\w*)\n(.*?)^ *```$/gms)].map(
      ([, language, text = '']) => ({ file, language, text }),
    ),
  );
  const run = Object.groupBy(
    blocks.filter(({ language }) => language === 'sh'),
    ({ file }) => file,
  );
  expect(Object.fromEntries(Object.entries(run).map(([file, of]) => [file, of?.length]))).toEqual(RUN);
  const isCommand = /^ *([A-Z_]+=\S+ )*(npm|npx|node|curl|java|idcard|docker|kubectl)\b/m;
  const others = blocks.filter(({ language, text }) => language === '' && isCommand.test(text));
  expect(others.filter(({ text }) => !/^(docker|kubectl) |docker compose/m.test(text))).toEqual([]);
});
