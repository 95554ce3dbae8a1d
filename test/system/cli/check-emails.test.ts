import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../../src/database/index.ts';
import { createDirectory, type Directory } from '../../../src/users/directory.ts';
import { type Finished, run, temporaryFolder } from '../../support/process.ts';

const DATA_DIR = temporaryFolder();
let directory: Directory;

beforeAll(async () => {
  const url = `sqlite:${join(DATA_DIR, 'idcard.sqlite')}`;
  directory = createDirectory(await openDatabase(url), () => 1_795_435_200);
});
afterAll(async () => {
  await directory.close();
  rmSync(DATA_DIR, { recursive: true });
});

/** A row as it was stored before; its id. */
async function plant(email: string): Promise<string> {
  return (await directory.add({ email, passwordHash: null, roles: [] })).id;
}

function idcard(...args: string[]): Promise<Finished> {
  return run(args, { env: { DATA_DIR } });
}

const INVISIBLE =
  'Must have ordinary letters before the @: none that are invisible, and no ligatures, fullwidth or similar forms';

test('of a directory in canonical spellings names nobody, with exit code 0', async () => {
  await plant('ada@example.com');
  await plant('eve@münchen.de');
  await directory.remove(await plant('gone@ｅxample.com'));
  expect(await idcard('users', 'check-emails')).toEqual({ code: 0, stdout: '', stderr: '' });
});

describe('with rows in older spellings', () => {
  const ids: Record<string, string> = {};
  beforeAll(async () => {
    for (const email of ['bob@xn--mnchen-3ya.de', 'a..b@example.com', 'ﬁn@example.com'])
      ids[email] = await plant(email);
  });

  test('it names how each would be, or why it could not be, with exit code 0', async () => {
    const { code, stdout, stderr } = await idcard('users', 'check-emails');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.split('\n')).toEqual([
      `spelling   ${ids['bob@xn--mnchen-3ya.de']}  bob@xn--mnchen-3ya.de → bob@münchen.de`,
      `refused    ${ids['a..b@example.com']}  a..b@example.com (Must be an email address)`,
      `refused    ${ids['ﬁn@example.com']}  ﬁn@example.com (${INVISIBLE})`,
      '',
    ]);
  });

  test('it names collisions, with exit code 1, and changes nothing', async () => {
    const emails = [
      'bob@münchen.de',
      'ada@ｅxample.com',
      'cleo@exampl②.com', // nobody has the canonical one
      'cleo@ｅxampl②.com',
      'fin@example.com', // only looks like the other
      'e\u034fve@münchen.de',
    ];
    for (const email of emails) ids[email] = await plant(email);
    const before = (await idcard('users', 'export')).stdout;

    const { code, stdout, stderr } = await idcard('users', 'check-emails', '--json');
    expect([code, stderr]).toEqual([1, 'idcard: Addresses of several users, or that look like one: 5.\n']);
    const findings = stdout
      .trimEnd()
      .split('\n')
      .map((line): Record<string, string> => JSON.parse(line));
    const collisions = Object.groupBy(
      findings.filter(({ finding }) => finding === 'collision'),
      ({ canonical = '' }) => canonical,
    );
    const emailsOf = Object.entries(collisions).map(([canonical, users]) => [
      canonical,
      users?.map(({ email }) => email),
    ]);
    expect(Object.fromEntries(emailsOf)).toEqual({
      'bob@münchen.de': ['bob@münchen.de', 'bob@xn--mnchen-3ya.de'],
      'ada@example.com': ['ada@example.com', 'ada@ｅxample.com'],
      'cleo@exampl2.com': ['cleo@exampl②.com', 'cleo@ｅxampl②.com'],
      'fin@example.com': ['fin@example.com', 'ﬁn@example.com'],
      'eve@münchen.de': ['eve@münchen.de', 'e\u034fve@münchen.de'],
    });
    expect(findings.filter(({ finding }) => finding === 'spelling')).toHaveLength(4);
    expect((await idcard('users', 'export')).stdout).toBe(before);
  });

  test('a command takes the row that was typed, and else the canonical one', async () => {
    const disable = async (email: string) => (await idcard('users', 'disable', email)).stdout;
    expect(await disable('bob@xn--mnchen-3ya.de')).toContain('bob@xn--mnchen-3ya.de is disabled');
    expect(await disable('Bob@XN--mnchen-3ya.de')).toContain('bob@münchen.de is disabled');
    expect(await disable('a..b@example.com')).toContain('a..b@example.com is disabled');
  });

  test('users add sees every spelling as taken', async () => {
    await plant('hal@xn--mnchen-3ya.de');
    for (const email of ['hal@münchen.de', 'hal@xn--mnchen-3ya.de', 'cleo@exampl②.com']) {
      const { code, stderr } = await run(['users', 'add', email], {
        env: { DATA_DIR },
        input: 'violet otters play chess',
      });
      expect([code, stderr]).toEqual([1, 'idcard: There is already a user with this email.\n']);
    }
    const refused = await idcard('users', 'add', 'ﬂo@example.com');
    expect([refused.code, refused.stderr]).toEqual([1, `idcard: The email is refused. ${INVISIBLE}.\n`]);
  });

  test('an export of them is imported as it stands', async () => {
    const { stdout: exported } = await idcard('users', 'export');
    const env = { DATABASE_URL: `sqlite:${join(DATA_DIR, 'other.sqlite')}` };
    await (await openDatabase(env.DATABASE_URL)).destroy();
    const imported = await run(['users', 'import', '-'], { env, input: exported });
    expect([imported.code, imported.stdout]).toEqual([
      0,
      `Of 13 users: 13 added, 0 already there, 0 refused. They are in ${env.DATABASE_URL}.\n`,
    ]);
    expect((await run(['users', 'export'], { env })).stdout).toBe(exported);
  });
});

test('docs/operations/accounts.md shows what it prints', async () => {
  const guide = readFileSync('docs/operations/accounts.md', 'utf8');
  const [, section = ''] = guide.split('## One mailbox, one account\n');
  const [, command = '', shown = ''] = /```sh\n(.*?)```\n\n```\n(.*?)```/s.exec(section) ?? [];
  const folder = join(DATA_DIR, 'documented');
  mkdirSync(folder);
  const db = await openDatabase(`sqlite:${join(folder, 'idcard.sqlite')}`);
  const documented = createDirectory(db, () => 1_795_435_200);
  for (const email of ['ada@münchen.de', 'ada@xn--mnchen-3ya.de', 'a..b@example.com'])
    await documented.add({ email, passwordHash: null, roles: [] });
  await documented.close();

  const env = { PATH: process.env.PATH, DATA_DIR: folder };
  const { status, stdout } = spawnSync('bash', ['-c', command], { env, encoding: 'utf8' });
  // In no order, since users of one millisecond have none.
  const withoutIds = (text: string) =>
    text
      .replaceAll(/[\da-f-]{36}/g, 'id')
      .split('\n')
      .sort();
  expect(status).toBe(1);
  expect(withoutIds(stdout)).toEqual(withoutIds(shown));
});
