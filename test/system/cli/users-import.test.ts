import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../../src/database/index.ts';
import { createManyUsers } from '../../support/many-users.ts';
import { newDatabase } from '../../support/postgres.ts';
import { bin, type Finished, run, temporaryFolder } from '../../support/process.ts';
import { findProgram, lacks } from '../../support/system.ts';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));

const HASH = `$argon2id$v=19$m=19456,t=2,p=1$${'A'.repeat(22)}$${'B'.repeat(43)}`;
const id = (number: number) => `01980520-0000-7000-a000-${String(number).padStart(12, '0')}`;
const user = (number: number, changes: Record<string, unknown> = {}) => ({
  id: id(number),
  email: `user${number}@example.com`,
  email_verified: false,
  password_hash: HASH,
  roles: ['admin'],
  status: 'active',
  token_version: 1,
  token_version_raised_at: 0,
  created_at: 1_795_435_200,
  ...changes,
});
const line = (...args: Parameters<typeof user>) => JSON.stringify(user(...args));
const deleted = (number: number, changes: Record<string, unknown> = {}) =>
  user(number, { email: id(number), password_hash: null, roles: [], status: 'deleted', ...changes });

function importInto(DATABASE_URL: string, input: string, ...args: string[]): Promise<Finished> {
  return run(['users', 'import', '-', ...args], { input, env: { DATABASE_URL } });
}

async function exportOf(DATABASE_URL: string): Promise<string[]> {
  const { stdout } = await run(['users', 'export'], { env: { DATABASE_URL } });
  return stdout.trimEnd().split('\n');
}

const notJson = 'is not a JSON object';
const noHash = 'password_hash must be null, as for deleted users, or an argon2id hash';
const unsoundHash = 'password_hash is no argon2id hash with parameters that idcard takes';
const withParameters = (parameters: string) => ({
  password_hash: HASH.replace('m=19456,t=2,p=1', parameters),
});
const noRoles = 'roles must be an array of 16 roles at most, and of none for deleted users';
const noEmail =
  'email must be an email address in the spelling that idcard stores, or the id of a deleted user';
const noStatus = 'status must be "active", "disabled" or "deleted"';
const noId = 'id must be a UUID in lower case';

const HOSTILE: [what: string, content: string | Buffer, refusal: string][] = [
  ['half a line', line(1).slice(0, 99), notJson],
  ['two objects on a line', line(1) + line(2), notJson],
  ['an array', `[${line(1)}]`, notJson],
  ['a text', '"user"', notJson],
  ['null', 'null', notJson],
  ['blanks', '  ', notJson],
  ['ten thousand brackets', '['.repeat(10_000), notJson],
  ['a byte order mark inside', `\ufeff${line(1)}`, notJson],
  ['a line of 17,000 bytes', line(1, { email: 'x'.repeat(17_000) }), 'is longer than 16384 bytes'],
  ['a line of a megabyte', 'x'.repeat(1_048_576), 'is longer than 16384 bytes'],
  ['bytes that are not UTF-8', Buffer.from(line(1, { email: 'é@example.com' }), 'latin1'), 'is not UTF-8'],
  ['an unknown field', line(1, { password: 'x' }), 'has a field that idcard does not know, "password"'],
  [
    'a field named by control characters',
    line(1, { '\u001b[2J\n': 1 }),
    'has a field that idcard does not know, "\\u001b[2J\\n"',
  ],
  [
    '__proto__',
    line(1).replace('{', '{"__proto__":{"status":"active"},'),
    'has a field that idcard does not know, "__proto__"',
  ],
  [
    'a missing field',
    line(1, { created_at: undefined }),
    'created_at must be a whole number of seconds since 1970',
  ],
  ['a missing hash, which may be null', line(1, { password_hash: undefined }), noHash],
  ['an id that is no UUID', line(1, { id: 'ada' }), noId],
  ['an id in capitals', line(1, { id: id(1).toUpperCase() }), noId],
  ['an id with a line break', line(1, { id: `${id(1)}\n` }), noId],
  ['an email in capitals', line(1, { email: 'User1@example.com' }), noEmail],
  ['an email that is not NFC', line(1, { email: 'e\u0301@example.com' }), noEmail],
  ['an email with a NUL', line(1, { email: 'a\u0000@example.com' }), noEmail],
  ['an email with a lone surrogate', line(1, { email: 'a\ud800@example.com' }), noEmail],
  ["an id as the email of a user who isn't deleted", line(1, { email: id(1) }), noEmail],
  ['an email of a deleted user', JSON.stringify(deleted(1, { email: 'user1@example.com' })), noEmail],
  ['the id of another deleted user as email', JSON.stringify(deleted(1, { email: id(2) })), noEmail],
  ['a hash of a deleted user', JSON.stringify(deleted(1, { password_hash: HASH })), noHash],
  ['roles of a deleted user', JSON.stringify(deleted(1, { roles: ['admin'] })), noRoles],
  ['1 for true', line(1, { email_verified: 1 }), 'email_verified must be true or false'],
  ['a password', line(1, { password_hash: 'violet otters play chess' }), unsoundHash],
  ['a bcrypt hash', line(1, { password_hash: `$2b$10$${'N'.repeat(53)}` }), unsoundHash],
  ['a hash that asks for 4 TiB', line(1, withParameters('m=4294967295,t=2,p=1')), unsoundHash],
  ['a hash of 17 passes', line(1, withParameters('m=19456,t=17,p=1')), unsoundHash],
  [
    'a hash of more than eight times the memory',
    line(1, withParameters('m=155649,t=1,p=1')),
    'password_hash asks for 155649 KiB, more than 8 × ARGON2_MEMORY_KIB (155648)',
  ],
  [
    'a hash of more than sixteen times the work',
    line(1, withParameters('m=65536,t=10,p=1')),
    'password_hash asks for 10 passes over 65536 KiB, more than 16 × ARGON2_TIME_COST × ARGON2_MEMORY_KIB (622592)',
  ],
  ['a role in capitals', line(1, { roles: ['Admin'] }), noRoles],
  ['a role with a comma', line(1, { roles: ['a,admin'] }), noRoles],
  ['seventeen roles', line(1, { roles: Array.from({ length: 17 }, (_, n) => `role${n}`) }), noRoles],
  ['roles as text', line(1, { roles: '["admin"]' }), noRoles],
  ['an unknown status', line(1, { status: 'root' }), noStatus],
  [
    'a token version of 0',
    line(1, { token_version: 0 }),
    'token_version must be a whole number from 1 to 2000000000',
  ],
  [
    'a token version beyond 32 bits',
    line(1, { token_version: 2 ** 32 }),
    'token_version must be a whole number from 1 to 2000000000',
  ],
  [
    'milliseconds',
    line(1, { created_at: 1_795_435_200_000 }),
    'created_at must be a whole number of seconds since 1970',
  ],
  [
    'a fraction',
    line(1, { token_version_raised_at: 1.5 }),
    'token_version_raised_at must be a whole number of seconds since 1970',
  ],
  [
    '1e400',
    line(1).replace('1795435200', '1e400'),
    'created_at must be a whole number of seconds since 1970',
  ],
  [
    'the id of a line before, with other values',
    line(900, { token_version: 2 }),
    'the directory has this id with other values',
  ],
  [
    'the email of a line before, under another id',
    line(1, { email: 'user900@example.com' }),
    'the email is that of another user',
  ],
];

describe.each(['SQLite', 'PostgreSQL'])('an import into %s', (database) => {
  let url: string;
  let result: Finished;
  let rehearsal: Finished;
  let refusals: string[];

  beforeAll(async () => {
    url = database === 'SQLite' ? `sqlite:${join(folder, 'hostile.sqlite')}` : await newDatabase();
    const file = join(folder, 'hostile.ndjson');
    const lines = [
      line(900),
      ...HOSTILE.map(([, content]) => content),
      line(901),
      '',
      JSON.stringify(deleted(902)),
    ];
    writeFileSync(
      file,
      Buffer.concat(lines.map((content) => Buffer.concat([Buffer.from(content), Buffer.from('\n')]))),
    );
    await (await openDatabase(url)).destroy();
    rehearsal = await run(['users', 'import', file, '--dry-run', '--json'], { env: { DATABASE_URL: url } });
    result = await run(['users', 'import', file, '--json'], { env: { DATABASE_URL: url } });
    refusals = result.stderr.split('\n');
  });

  test.each(HOSTILE.map(([what, , refusal], index) => [what, refusal, index + 2] as const))(
    'refuses %s',
    (_what, refusal, number) => {
      expect(refusals).toContain(`idcard: line ${number}: ${refusal}.`);
    },
  );

  test('adds the others, tells the counts, and ends with 1', async () => {
    const total = HOSTILE.length + 3;
    expect(result.code).toBe(1);
    expect(JSON.parse(result.stdout)).toEqual({
      lines: total,
      added: 3,
      already_there: 0,
      refused: HOSTILE.length,
      dry_run: false,
    });
    expect(refusals.at(-2)).toBe(`idcard: ${HOSTILE.length} of ${total} lines were refused.`);
    expect((await exportOf(url)).map((user) => JSON.parse(user))).toEqual([
      user(900),
      user(901),
      deleted(902),
    ]);
  });

  test('was told beforehand, line by line, by the dry run', () => {
    expect(rehearsal.code).toBe(1);
    expect(JSON.parse(rehearsal.stdout)).toEqual({ ...JSON.parse(result.stdout), dry_run: true });
    const told = ({ stderr }: Finished) =>
      stderr.split('\n').filter((told) => told.startsWith('idcard: line'));
    expect(told(rehearsal)).toEqual(told(result));
    expect(told(result)).toHaveLength(HOSTILE.length);
  });

  test('repeats no secret', () => {
    expect(result.stderr).not.toMatch(/\$argon2|violet otters|\$2b/);
  });

  test('does not take over a user who is there', async () => {
    const before = await exportOf(url);
    const taken = [line(900, { password_hash: null }), line(3, { email: 'user901@example.com' }), line(900)];
    const { code, stdout, stderr } = await importInto(url, taken.join('\n'), '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ lines: 3, added: 0, already_there: 1, refused: 2 });
    expect(stderr).toContain('idcard: line 1: the directory has this id with other values.\n');
    expect(stderr).toContain('idcard: line 2: the email is that of another user.\n');
    expect(await exportOf(url)).toEqual(before);
  });

  test('takes dear hashes where the configuration is dear as well', async () => {
    const dear = line(20, withParameters('m=155649,t=10,p=4'));
    const ARGON2_MEMORY_KIB = '65536';
    const { code, stdout } = await run(['users', 'import', '-', '--json'], {
      input: dear,
      env: { DATABASE_URL: url, ARGON2_MEMORY_KIB },
    });
    expect([code, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ added: 1 })]);
  });

  test('takes a byte order mark, CRLF, empty lines at the end, or no last line break', async () => {
    const whole = `\ufeff${line(10)}\r\n${line(11)}\r\n\r\n\n`;
    expect(JSON.parse((await importInto(url, whole, '--json')).stdout)).toMatchObject({
      added: 2,
      refused: 0,
    });
    expect(JSON.parse((await importInto(url, line(12), '--json')).stdout)).toMatchObject({ added: 1 });
    expect(JSON.parse((await importInto(url, '', '--json')).stdout)).toMatchObject({ lines: 0, added: 0 });
  });
});

test.each([
  ['a file that is not there', ['users', 'import', join(folder, 'absent.ndjson')], 'cannot be read'],
  ['a folder', ['users', 'import', folder], 'is a folder'],
  ['a directory that is not there to be exported', ['users', 'export'], 'There is no database'],
])('%s is one sentence', async (_what, args, words) => {
  const { code, stdout, stderr } = await run(args, { env: { DATABASE_URL: `sqlite:${folder}/none.sqlite` } });
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/^idcard: [^\n]+\.\n$/);
  expect(stderr).toContain(words);
});

/** What a terminal shows of `idcard <args>`. */
function atTerminal(args: string[], DATABASE_URL: string): Promise<string> {
  const command = [process.execPath, bin(), ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn(findProgram('script') ?? '', ['--quiet', '--command', command, '/dev/null'], {
    env: { DATABASE_URL, PATH: process.env.PATH, SHELL: '/bin/sh', TERM: 'xterm' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return text(child.stdout);
}

describe.skipIf(lacks('script'))('at a terminal', () => {
  test('a bar shows how far it is, and leaves the refusals readable', async () => {
    await createManyUsers(join(folder, 'bar.sqlite'), 5000);
    const DATABASE_URL = `sqlite:${join(folder, 'bar.sqlite')}`;
    const file = join(folder, 'bar.ndjson');
    const exported = await atTerminal(['users', 'export', '--output', file], DATABASE_URL);
    expect(exported).toMatch(/Exporting [█░]+ \d+%/);
    expect(exported).toContain(`Wrote 5000 users of ${DATABASE_URL} to ${file}.`);
    writeFileSync(file, 'x\n', { flag: 'a' });
    const imported = await atTerminal(['users', 'import', file], DATABASE_URL);
    expect(imported).toMatch(/Importing [█░]+ \d+%/);
    expect(imported).toContain('idcard: line 5001: is not a JSON object.\r\n');
  });
});
