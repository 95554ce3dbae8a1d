import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  createReadStream,
  existsSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '../../../src/config/config.ts';
import { openDatabase } from '../../../src/database/index.ts';
import { createHasher } from '../../../src/factors/passwords/hasher.ts';
import { generateKeySet } from '../../../src/proofs/keys/key-rotation.ts';
import { countUsers, createManyUsers, eventually } from '../../support/many-users.ts';
import { execute, newDatabase } from '../../support/postgres.ts';
import {
  bin,
  type Finished,
  findFreePort,
  launch,
  run,
  startServer,
  temporaryFolder,
} from '../../support/process.ts';

const PASSWORDS = ['violet otters play chess', 'nine lazy clouds over Turin', 'ünder the \u0000 bridge'];

const folder = temporaryFolder();
const path = (name: string) => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true }));

interface Source {
  url: string;
  /** An export of it, and what that command said. */
  file: string;
  digest: string;
  exported: Finished;
}

async function createSource(count: number): Promise<Source> {
  const database = path(`${count}.sqlite`);
  const hasher = createHasher({ memoryKib: 19_456, timeCost: 2, parallelism: 1 });
  await createManyUsers(database, count, await Promise.all(PASSWORDS.map(hasher.hash)));
  const url = `sqlite:${database}`;
  const file = path(`${count}.ndjson`);
  const exported = await idcard(url, 'users', 'export', '--output', file);
  return { url, file, digest: await digestOf(file), exported };
}

function idcard(DATABASE_URL: string, ...args: string[]): Promise<Finished> {
  return run(args, { env: { DATABASE_URL, DATA_DIR: folder } });
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** Every column of every user: an export to standard output, as a shell redirects it. */
async function expectAllThere({ digest }: Source, url: string): Promise<void> {
  const { code, stdout } = await idcard(url, 'users', 'export');
  expect(code).toBe(0);
  expect(createHash('sha256').update(stdout).digest('hex')).toBe(digest);
}

async function newSqlite(name: string): Promise<string> {
  await (await openDatabase(`sqlite:${path(name)}`)).destroy();
  return `sqlite:${path(name)}`;
}

describe('100,000 users', { timeout: 120_000 }, () => {
  const USERS = 100_000;
  let source: Source;
  beforeAll(async () => {
    source = await createSource(USERS);
  }, 120_000);

  test('are exported, a line each, to a file of mode 0600', () => {
    expect(source.exported).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(new RegExp(`^Wrote ${USERS} users of sqlite:.+ to ${source.file}\\.\n$`)),
    });
    expect(JSON.parse(source.exported.stderr)).toMatchObject({ event: 'users.exported', users: USERS });
    expect(statSync(source.file).mode & 0o777).toBe(0o600);
    const lines = readFileSync(source.file, 'utf8').split('\n');
    expect(lines.pop()).toBe('');
    expect(lines).toHaveLength(USERS);
    const statuses = lines.map((line): string => JSON.parse(line).status);
    expect(new Set(statuses)).toEqual(new Set(['active', 'disabled', 'deleted']));
    expect(JSON.parse(lines[7] ?? '')).toEqual({
      id: '01980520-0007-7007-a007-000000000007',
      email: 'üser7@example.com',
      email_verified: true,
      password_hash: `$argon2id$v=19$m=19456,t=2,p=1$${'7'.padStart(22, '0')}$${'7'.padStart(43, '0')}`,
      roles: ['admin', 'author'],
      status: 'active',
      token_version: 2,
      token_version_raised_at: 1_795_435_207,
      created_at: 1_795_435_007,
    });
  });

  test('are imported; again, they are all there already; a dry run writes none', async () => {
    const target = await newSqlite('imported.sqlite');
    const rehearsal = await idcard(target, 'users', 'import', source.file, '--dry-run', '--json');
    const counts = { lines: USERS, added: USERS, already_there: 0, refused: 0 };
    expect([rehearsal.code, rehearsal.stderr]).toEqual([0, '']);
    expect(JSON.parse(rehearsal.stdout)).toEqual({ ...counts, dry_run: true });
    expect(countUsers(path('imported.sqlite'))).toBe(0);

    const first = await idcard(target, 'users', 'import', source.file, '--json');
    expect(JSON.parse(first.stdout)).toEqual({ ...counts, dry_run: false });
    expect(JSON.parse(first.stderr)).toMatchObject({ event: 'users.imported', ...counts });
    await expectAllThere(source, target);

    const second = await idcard(target, 'users', 'import', source.file);
    expect(second.code).toBe(0);
    expect(second.stdout).toBe(
      `Of ${USERS} users: 0 added, ${USERS} already there, 0 refused. They are in ${target}.\n`,
    );
  });

  test('are moved to PostgreSQL, where they log in', async () => {
    const postgres = await newDatabase();
    const moved = await idcard(source.url, 'db', 'move', '--to', postgres, '--json');
    expect(JSON.parse(moved.stdout)).toEqual({ users: USERS, added: USERS, dry_run: false });
    await expectAllThere(source, postgres);

    const KEY_SET = JSON.stringify(generateKeySet(readConfig({}).keys, 0));
    const server = await startServer({ DATABASE_URL: postgres, KEY_SET, PORT: String(await findFreePort()) });
    for (const [number, password] of PASSWORDS.entries()) {
      const init = { method: 'POST', headers: { 'content-type': 'application/json' } };
      const body = JSON.stringify({ email: `Üser${number}@example.com`, password });
      expect((await fetch(`${server.url}/v1/login`, { ...init, body })).status).toBe(200);
    }
    await server.stop();
  });
});

describe('a command that is killed on its way', { timeout: 120_000 }, () => {
  const USERS = 40_000;
  let source: Source;
  beforeAll(async () => {
    source = await createSource(USERS);
  }, 120_000);

  test('exports to the same file by --resume', async () => {
    const file = path('killed.ndjson');
    const args = ['users', 'export', '--output', file];
    const { kill, finished } = launch(args, { env: { DATABASE_URL: source.url } });
    await eventually(() => existsSync(file) && statSync(file).size > 0);
    kill();
    expect((await finished).code).toBeNull();
    expect(statSync(file).size).toBeLessThan(statSync(source.file).size);
    truncateSync(file, statSync(file).size - 7); // half a line

    const refused = await idcard(source.url, ...args);
    expect([refused.code, refused.stderr]).toEqual([
      1,
      `idcard: ${file} is there already: name a new file, or go on with this one by --resume.\n`,
    ]);
    expect((await idcard(source.url, ...args, '--resume')).code).toBe(0);
    expect(await digestOf(file)).toBe(source.digest);
    expect((await idcard(source.url, ...args, '--resume')).code).toBe(0);
    expect(await digestOf(file)).toBe(source.digest);
  });

  test('imports the rest when it is run again', async () => {
    const target = await newSqlite('import-killed.sqlite');
    const { kill, finished } = launch(['users', 'import', source.file], { env: { DATABASE_URL: target } });
    await eventually(() => countUsers(path('import-killed.sqlite')) > 0);
    kill();
    expect((await finished).code).toBeNull();
    const before = countUsers(path('import-killed.sqlite'));
    expect(before).toBeLessThan(USERS);

    const { stdout } = await idcard(target, 'users', 'import', source.file, '--json');
    expect(JSON.parse(stdout)).toMatchObject({ added: USERS - before, already_there: before, refused: 0 });
    await expectAllThere(source, target);
  });

  test('moves the rest when it is run again', async () => {
    const target = await newDatabase();
    await (await openDatabase(target)).destroy();
    const countThere = async () =>
      Number((await execute(target, 'SELECT count(*) FROM idcard_users'))[0]?.count);
    const { kill, finished } = launch(['db', 'move', '--to', target], { env: { DATABASE_URL: source.url } });
    await eventually(async () => (await countThere()) > 0);
    kill();
    expect((await finished).code).toBeNull();
    expect(await countThere()).toBeLessThan(USERS);

    const { stdout } = await idcard(source.url, 'db', 'move', '--to', target, '--json');
    const { users, added } = JSON.parse(stdout);
    expect(users).toBe(USERS);
    expect(added).toBeLessThan(USERS);
    await expectAllThere(source, target);
  });

  test('ends without a word, and not with 0, when its reader has gone', async () => {
    const script = '"$0" "$1" users export | head -1 >/dev/null; echo $PIPESTATUS';
    const child = spawn('bash', ['-c', script, process.execPath, bin()], {
      env: { DATABASE_URL: source.url, PATH: process.env.PATH },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [stdout, stderr] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    expect([stdout, stderr]).toEqual(['1\n', '']);
  });
});

test('an export does not go on in a file that begins otherwise', async () => {
  const few = await newSqlite('few.sqlite');
  for (const [content, mode, words] of [
    ['a letter', 0o600, 'is not how this export begins'],
    ['{"id":"0"}\n', 0o600, 'is not how this export begins'],
    ['', 0o644, 'must be a file of mode 0600'],
  ] as const) {
    const file = path('other.ndjson');
    writeFileSync(file, content, { mode });
    const { code, stderr } = await idcard(few, 'users', 'export', '--output', file, '--resume');
    expect(code).toBe(1);
    expect(stderr).toContain(words);
    expect(readFileSync(file, 'utf8')).toBe(content);
    rmSync(file);
  }
});
