import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Kysely, sql } from 'kysely';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Problem } from '../../src/problems/problem.ts';
import { StartupError } from '../../src/startup-error.ts';
import { openDatabase } from '../../src/users/databases/index.ts';
import type { Database } from '../../src/users/databases/schema.ts';
import { createDirectory, type Directory } from '../../src/users/directory.ts';
import { migrations } from '../../src/users/migrations/index.ts';
import { START } from '../support/app.ts';
import { temporaryFolder } from '../support/process.ts';

const root = temporaryFolder();
afterAll(() => rmSync(root, { recursive: true }));

let folder: string;
let path: string;
let nextFolder = 0;
beforeEach(() => {
  folder = join(root, String(nextFolder++), 'data');
  path = join(folder, 'users.sqlite');
});

function newUser(email: string) {
  return { email, passwordHash: null, roles: [] };
}

async function refusal(opening: Promise<unknown>): Promise<string> {
  const error = await opening.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof StartupError)) throw new Error('It was opened.', { cause: error });
  expect(error.message).toMatch(/^[^\n]+\.$/);
  return error.message;
}

describe('a database that is opened', () => {
  let db: Kysely<Database>;
  beforeEach(async () => {
    db = await openDatabase(`sqlite:${path}`);
  });
  afterEach(() => db.destroy());

  async function pragma(name: string): Promise<unknown[]> {
    const { rows } = await sql.raw<Record<string, unknown>>(`PRAGMA ${name}`).execute(db);
    return rows.flatMap((row) => Object.values(row));
  }

  test('for the first time is created with its folder, and nobody else can read either', async () => {
    await createDirectory(db, () => START).add(newUser('ada@example.com'));
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder)).toEqual(['users.sqlite', 'users.sqlite-shm', 'users.sqlite-wal']);
    for (const file of readdirSync(folder)) expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
  });

  test('writes ahead and through to the disk, so that no acknowledged user is lost', async () => {
    expect(await pragma('journal_mode')).toEqual(['wal']);
    expect(await pragma('synchronous')).toEqual([2]); // FULL
    expect(await pragma('foreign_keys')).toEqual([1]);
  });

  test('again has its users and is not migrated twice', async () => {
    const user = await createDirectory(db, () => START).add(newUser('ada@example.com'));
    const again = await openDatabase(`sqlite:${path}`);
    expect(await createDirectory(again, () => START).findByEmail('ada@example.com')).toEqual(user);
    const { rows } = await sql<{ name: string }>`SELECT name FROM idcard_migrations`.execute(again);
    expect(rows.map(({ name }) => name)).toEqual(Object.keys(migrations));
    await again.destroy();
  });

  test('throws what is a mistake in a query as it is, and not as trouble with the disk', async () => {
    await expect(sql`SELECT * FROM missing`.execute(db)).rejects.toThrow('no such table: missing');
    await expect(sql`INSERT INTO idcard_users (id) VALUES ('x')`.execute(db)).rejects.toThrow('NOT NULL');
  });
});

describe('the start is refused, and the database named, when', () => {
  test('its folder cannot be made', async () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'file'), '');
    const inside = join(folder, 'file', 'users.sqlite');
    expect(await refusal(openDatabase(`sqlite:${inside}`))).toContain(
      `The database ${inside} cannot be opened`,
    );
  });

  test('it is a folder', async () => {
    mkdirSync(path, { recursive: true });
    expect(await refusal(openDatabase(`sqlite:${path}`))).toContain(path);
  });

  test('it is a file of another kind', async () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, 'This is a letter to my aunt. '.repeat(100));
    expect(await refusal(openDatabase(`sqlite:${path}`))).toContain(path);
  });

  test('it was migrated by a later version', async () => {
    const db = await openDatabase(`sqlite:${path}`);
    await sql`INSERT INTO idcard_migrations VALUES ('2999-01-01-later', '2999-01-01T00:00:00Z')`.execute(db);
    await db.destroy();
    expect(await refusal(openDatabase(`sqlite:${path}`))).toBe(
      `The database ${path} was migrated by a later version of idcard: start that one.`,
    );
  });

  test.each(['mysql://ada:secret@localhost/users', 'users.sqlite', 'SQLITE:users.sqlite', 'postgres:users'])(
    'its URL is %s',
    async (url) => {
      const message = await refusal(openDatabase(url));
      expect(message).toMatch(/^DATABASE_URL must start with "sqlite:"/);
      expect(message).not.toContain('secret');
    },
  );
});

describe('a directory is unavailable, with 503 and Retry-After,', () => {
  let db: Kysely<Database>;
  let directory: Directory;
  beforeEach(async () => {
    db = await openDatabase(`sqlite:${path}`);
    directory = createDirectory(db, () => START);
    await directory.add(newUser('ada@example.com'));
  });
  afterEach(() => db.destroy());

  async function expectUnavailable(call: Promise<unknown>): Promise<void> {
    const error = await call.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof Problem)) throw new Error('It is no problem.', { cause: error });
    expect(error.kind.slug).toBe('unavailable');
    expect(error.headers).toEqual({ 'retry-after': '2' });
    expect(error.cause).toBeInstanceOf(Error);
    expect(JSON.stringify(error)).not.toMatch(/sqlite|database|disk/i);
  }

  test('to writers, within a second, while another connection holds the file, and not after', async () => {
    const other = new DatabaseSync(path);
    other.exec('BEGIN EXCLUSIVE');
    const start = performance.now();
    await expectUnavailable(directory.add(newUser('bob@example.com')));
    expect(performance.now() - start).toBeLessThan(1000);
    expect((await directory.findByEmail('ada@example.com'))?.email).toBe('ada@example.com');

    other.exec('COMMIT');
    other.close();
    expect((await directory.add(newUser('bob@example.com'))).email).toBe('bob@example.com');
  });

  test('to writers when there is no room left, and not when there is again', async () => {
    await sql`PRAGMA max_page_count = 1`.execute(db);
    const fill = async () => {
      for (let index = 0; index < 200; index++) {
        await directory.add({ email: `${index}@example.com`, passwordHash: 'x'.repeat(255), roles: [] });
      }
    };
    await expectUnavailable(fill());
    expect((await directory.findByEmail('ada@example.com'))?.email).toBe('ada@example.com');

    await sql`PRAGMA max_page_count = 100000`.execute(db);
    expect((await directory.add(newUser('bob@example.com'))).email).toBe('bob@example.com');
    const { rows } = await sql`PRAGMA integrity_check`.execute(db);
    expect(rows).toEqual([{ integrity_check: 'ok' }]);
  });

  test('to writers when the file may only be read', async () => {
    await sql`PRAGMA query_only = 1`.execute(db);
    await expectUnavailable(directory.add(newUser('bob@example.com')));
  });

  test('to everybody when the file is overwritten', async () => {
    const other = new DatabaseSync(path);
    other.exec('PRAGMA wal_checkpoint(TRUNCATE)'); // so that pages are read from the file again
    other.close();
    writeFileSync(path, Buffer.alloc(16_384, 0xab), { flag: 'r+' });
    await expectUnavailable(directory.findByEmail('ada@example.com'));
    await expectUnavailable(directory.findById('x'));
    await expectUnavailable(directory.list('', 10));
    await expectUnavailable(directory.raisedSince(0));
    await expectUnavailable(directory.add(newUser('bob@example.com')));
    await expectUnavailable(directory.update('x', { status: 'disabled' }));
  });
});
