import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../../src/database/index.ts';
import { type Finished, run, temporaryFolder } from '../../support/process.ts';

const DATA_DIR = temporaryFolder();
beforeAll(async () => {
  await (await openDatabase(`sqlite:${join(DATA_DIR, 'idcard.sqlite')}`)).destroy();
});
afterAll(() => rmSync(DATA_DIR, { recursive: true }));

const ADA = 'ada@example.com';
const PASSWORD = 'violet otters play chess';

function idcard(args: string[], input = '', env: Record<string, string> = {}): Promise<Finished> {
  return run(args, { input, env: { DATA_DIR, ...env } });
}

describe.concurrent('--help', () => {
  test.each([
    [['--help'], ['serve', 'users', 'keys']],
    [
      ['users', '--help'],
      ['add', 'disable', 'enable', 'export', 'import', 'list', 'set-password', 'set-roles', 'verify'],
    ],
    [
      ['users', 'add', '--help'],
      ['<email>', '--role', '--json', 'standard input'],
    ],
  ])('of %j names what there is, with exit code 0', async (args, words) => {
    const { code, stdout, stderr } = await idcard(args);
    expect([code, stderr]).toEqual([0, '']);
    for (const word of words) expect(stdout).toContain(word);
  });
});

describe.concurrent('used wrongly, the exit code is 2 and standard output empty:', () => {
  test.each([
    [['nonsense'], "unknown command 'nonsense'"],
    [['users', 'add'], "missing required argument 'email'"],
    [['users', 'list', '--yaml'], "unknown option '--yaml'"],
    [['users', 'disable', ADA, 'bob@example.com'], 'too many arguments'],
    [['users', 'add', ADA, '--password', PASSWORD], "unknown option '--password'"],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await idcard(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain(PASSWORD);
  });

  test('no command at all', async () => {
    const { code, stderr } = await idcard([]);
    expect(code).toBe(2);
    expect(stderr).toContain('Usage: idcard');
  });
});

describe.concurrent('what cannot be done is one sentence on standard error, with exit code 1:', () => {
  test.each([
    [
      'an unknown user',
      ['users', 'disable', 'nobody@example.com'],
      /^There is no user with this email in sqlite:\/.+\.$/,
    ],
    ['no email', ['users', 'enable', 'nobody'], 'This is not an email address.'],
    [
      'a role in capitals',
      ['users', 'set-roles', ADA, 'Admin'],
      /^The role is refused\. Must be 1 to 32 of /,
    ],
    [
      'too soon an activation',
      ['keys', 'rotate', '--activate-in', '299'],
      /^--activate-in must be .+ 300\.$/,
    ],
    [
      'no key file to rotate',
      ['keys', 'rotate'],
      /^There is no key file \/.+ "idcard keys create" for a new one\.$/,
    ],
  ])('%s', async (_what, args, sentence) => {
    expectFailure(await idcard(args), sentence);
  });

  test.each([
    ['a short password', 'otters', 'The password is refused. Must have at least 15 characters.'],
    ['no password', '', 'The password is refused. Must not be empty.'],
    [
      'a password made of the email',
      'ada@example.com!',
      /^The password is refused\. Must not be made of your email/,
    ],
    [
      'a password of 257 bytes',
      'x'.repeat(257),
      'The password is refused. Must have 256 bytes at most in UTF-8.',
    ],
  ])('%s', async (_what, password, sentence) => {
    const result = await idcard(['users', 'add', ADA], password);
    expectFailure(result, sentence);
    if (password) expect(result.stderr).not.toContain(password);
  });

  test('a setting that is no good, whatever the command', async () => {
    for (const args of [['serve'], ['users', 'list'], ['keys', 'rotate']]) {
      expectFailure(await idcard(args, '', { PORT: 'http' }), 'PORT must be a whole number from 0 to 65535.');
    }
  });

  test('a data folder that is a file', async () => {
    const file = join(DATA_DIR, 'file');
    writeFileSync(file, '');
    expectFailure(
      await idcard(['users', 'list'], '', { DATA_DIR: file }),
      /^The database .+ cannot be opened/,
    );
    expectFailure(await idcard(['keys', 'list'], '', { DATA_DIR: file }), /^The key file .+\.$/);
  });

  test('keys that come from KEY_SET and cannot be rotated in a file', async () => {
    const folder = join(DATA_DIR, 'keys');
    expect((await idcard(['keys', 'create'], '', { DATA_DIR: folder })).code).toBe(0);
    const KEY_SET = readFileSync(join(folder, 'keys.json'), 'utf8');
    rmSync(join(folder, 'keys.json'));

    const rotation = await idcard(['keys', 'rotate'], '', { KEY_SET, DATA_DIR: folder });
    expectFailure(rotation, /^The key set comes from KEY_SET/);
    expect(readdirSync(folder)).toEqual([]);
  });
});

function expectFailure({ code, stdout, stderr }: Finished, sentence: string | RegExp): void {
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/^idcard: [^\n]+\.\n$/);
  const told = stderr.slice('idcard: '.length, -1);
  if (typeof sentence === 'string') expect(told).toBe(sentence);
  else expect(told).toMatch(sentence);
}
