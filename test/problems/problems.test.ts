import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { filesWithProblems, findProblems } from '../../scripts/problem-kinds.ts';
import { problemPage } from '../../scripts/problem-page.ts';
import type { ProblemError, ProblemSlug } from '../../src/client/index.ts';
import { define } from '../../src/problems/define.ts';

const problems = await findProblems();
const kinds = problems.map(({ factory }) => factory.kind);

test('every problem that is defined is found', () => {
  const defined = filesWithProblems().flatMap(
    (file) => readFileSync(file, 'utf8').match(/\bdefine\(/g) ?? [],
  );
  expect(problems.length).toBeGreaterThan(25);
  expect(problems).toHaveLength(defined.length);
});

test('no slug is of two problems, and one that is answered in two ways has one title', () => {
  const names = Map.groupBy(problems, ({ factory }) => factory.kind.slug);
  for (const [slug, found] of names) {
    const places = new Set(found.map(({ file, name }) => `${file} ${name}`));
    expect([slug, [...places]]).toEqual([slug, [expect.any(String)]]);
    expect(new Set(found.map(({ factory }) => factory.kind.title)).size).toBe(1);
    expect(new Set(found.map(({ factory }) => factory.kind.status)).size).toBe(found.length);
  }
});

test('a slug is lower case with hyphens, and a sentence ends with a full stop', () => {
  for (const { slug, detail } of kinds) {
    expect(slug).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(detail).toMatch(/^[A-Z].*\.$/);
  }
});

test('a fault of the server has a line in the log, whatever was defined beside it', () => {
  const faults = kinds.filter(({ status }) => status >= 500);
  expect(faults.length).toBeGreaterThan(3);
  expect(faults.filter(({ event }) => event === undefined)).toEqual([]);
});

test('a problem is told from others of the same words, and from what is no problem', () => {
  const one = define(400, 'one', 'One', 'It is one.');
  const other = define(400, 'one', 'One', 'It is one.');
  expect([one(), other(), new Error('one'), undefined].map(one.is)).toEqual([true, false, false, false]);
});

test('docs/problems.md is what the source says', async () => {
  expect(readFileSync('docs/problems.md', 'utf8')).toBe(await problemPage());
});

test('the client knows every slug, and no other compiles', () => {
  const text = readFileSync('src/client/openapi.ts', 'utf8');
  const [, union = ''] = /export type ProblemSlug =([^;]*);/.exec(text) ?? [];
  const known = [...union.matchAll(/'([^']+)'/g)].map(([, slug]) => slug);
  expect(known).toEqual([...new Set(kinds.map(({ slug }) => slug))].sort());

  const good: ProblemSlug = 'invalid-credentials';
  // @ts-expect-error
  const bad: ProblemSlug = 'invalid-credential';
  const isGood = ({ slug }: ProblemError) => slug === 'email-taken';
  // @ts-expect-error
  const isBad = ({ slug }: ProblemError) => slug === 'email-token';
  const error = { slug: 'email-taken' } as ProblemError; // all that is asked for here
  expect([good !== String(bad), isGood(error), isBad(error)]).toEqual([true, true, false]);
});
