import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isDead, linksOf } from '../support/links.ts';

const files = [...globSync('*.md'), ...globSync('{docs,deploy,examples}/**/*.md')].filter(
  (file) => !file.includes('node_modules'),
);

test('every link of the documentation leads somewhere', () => {
  const links = linksOf(files);
  expect(links.length).toBeGreaterThan(50);
  expect(links.filter(isDead)).toEqual([]);
});

test('what the commands of the documentation write, git ignores', () => {
  const here = files.filter((file) => file !== 'docs/generated-clients.md'); // whose reader is in a project of their own
  const written = here.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/^ *```sh\n(.*?)^ *```$/gms)].flatMap(([, script = '']) =>
      [...script.matchAll(WRITTEN)].map((match) => match[1] ?? ''),
    ),
  );
  const secrets = [...readFileSync('deploy/README.md', 'utf8').matchAll(/--from-file=(\S+)/g)];
  written.push(...secrets.map((match) => match[1] ?? ''));
  expect(written).toEqual(
    expect.arrayContaining([
      'cookies.txt',
      'users.ndjson',
      'backup/keys.json',
      'ceremony/keys.json',
      'backup/idcard.sqlite',
      'backup/idcard.dump',
      'database-url',
    ]),
  );
  const isIgnored = (path: string) => spawnSync('git', ['check-ignore', '-q', path]).status === 0;
  expect(written.filter((path) => !isIgnored(path))).toEqual([]);
});

/** Cookies of curl, redirections, options of other programs, copies, and keys that are made where there are none. */
const WRITTEN =
  /(?:\s-c|[^|>]>|--output|--file=|--to-file|cp \S+|install -m \d+ \S+|KEY_SET_FILE=|VACUUM INTO \?"\)\.run\() ?"?([\w./-]+)/g;

/** How many blocks of commands each file has, all of which a test runs as they stand. */
const RUN = {
  'README.md': 3, // readme
  'deploy/README.md': 1, // deploy/compose
  'docs/README.md': 2, // packages/*
  'docs/generated-clients.md': 5, // clients, postman
  'docs/keys.md': 3, // operations
  'docs/operations/accounts.md': 2, // readme, cli/check-emails
  'docs/operations/database.md': 9, // operations
  'docs/operations/running.md': 1, // readme
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
