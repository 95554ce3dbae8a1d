import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Kysely, sql } from 'kysely';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openDatabase } from '../../src/database/index.ts';
import { migrations } from '../../src/database/migrations/index.ts';
import type { Database } from '../../src/database/schema.ts';
import { Problem } from '../../src/problems/problem.ts';
import { createDirectory, type Directory } from '../../src/users/directory.ts';
import { START } from '../support/app.ts';
import { temporaryFolder } from '../support/process.ts';
import { refusal } from '../support/refusal.ts';

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  return { ...fs, chmodSync: vi.fn(fs.chmodSync) };
});

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

describe('a database that others can read', () => {
  let said: string[];
  beforeEach(async () => {
    said = [];
    vi.spyOn(console, 'error').mockImplementation((line) => void said.push(line));
    await (await openDatabase(`sqlite:${path}`)).destroy();
  });
  afterEach(() => void vi.restoreAllMocks());

  const modes = () =>
    readdirSync(folder).map((file) => (statSync(join(folder, file)).mode & 0o777).toString(8));

  test.each([0o644, 0o640, 0o666])('with mode %o is made private, with a word', async (mode) => {
    chmodSync(path, mode);
    const db = await openDatabase(`sqlite:${path}`);
    expect(modes()).toEqual(['600', '600', '600']);
    expect(said).toEqual(
      [path, `${path}-wal`, `${path}-shm`].map(
        (file) => `idcard: Other users could read ${file} (mode ${mode.toString(8)}), and can no more.`,
      ),
    );
    await db.destroy();
  });

  test.runIf(process.getuid?.() === 0)(
    'for a volume gave it to a group is made private without one',
    async () => {
      chownSync(folder, 0, 1000);
      chmodSync(folder, 0o2770);
      chownSync(path, 0, 1000);
      chmodSync(path, 0o660);
      const db = await openDatabase(`sqlite:${path}`);
      expect(modes()).toEqual(['600', '600', '600']);
      expect(said).toEqual([]);
      await db.destroy();
    },
  );

  test('and turns out to be no database of idcard stays as it is', async () => {
    writeFileSync(path, 'to my aunt');
    chmodSync(path, 0o644);
    await expect(openDatabase(`sqlite:${path}`)).rejects.toThrow('it is no SQLite database');
    expect(modes()).toEqual(['644']);
    expect(said).toEqual([]);
  });

  test('and is not ours to change is used, and its owner told', async () => {
    chmodSync(path, 0o644);
    vi.mocked(chmodSync).mockImplementationOnce(() => {
      throw new Error('EPERM');
    });
    const db = await openDatabase(`sqlite:${path}`);
    expect(said[0]).toBe(
      `idcard: Other users could read ${path} (mode 644), and still can: its owner has to change that.`,
    );
    await db.destroy();
  });
});

describe('the start is refused with the advice that helps', () => {
  beforeEach(async () => {
    const db = await openDatabase(`sqlite:${path}`);
    for (let index = 0; index < 50; index++)
      await createDirectory(db, () => START).add(newUser(`${index}@example.com`));
    await db.destroy();
  });

  test.each<[what: string, spoil: () => void, advice: string]>([
    ['cut off', () => truncateSync(path, 8192), 'it is damaged, restore it from a backup'],
    [
      'other bytes',
      () => writeFileSync(path, Buffer.alloc(8192, 0xab)),
      'it is no SQLite database, or was overwritten',
    ],
    ['a letter', () => writeFileSync(path, 'to my aunt'), 'it is no SQLite database, or was overwritten'],
    [
      'a folder',
      () => {
        rmSync(path);
        mkdirSync(path);
      },
      'it is a folder, name a file',
    ],
    [
      'below a file',
      () => {
        rmSync(dirname(path), { recursive: true });
        writeFileSync(dirname(path), '');
      },
      'check its path, and that this user may read and write it and its folder',
    ],
  ])('when it is %s', async (_what, spoil, advice) => {
    spoil();
    expect(await refusal(openDatabase(`sqlite:${path}`))).toContain(
      `The database ${path} cannot be opened: ${advice}`,
    );
  });

  test('when another program holds it', async () => {
    const other = new DatabaseSync(path);
    other.exec('PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE');
    expect(await refusal(openDatabase(`sqlite:${path}`))).toContain('another program holds it, end that');
    other.close();
  });
});

test('a Node.js without SQLite is told of in a sentence', async () => {
  vi.spyOn(process, 'getBuiltinModule').mockReturnValueOnce(undefined as never);
  expect(await refusal(openDatabase(`sqlite:${path}`))).toMatch(
    /^SQLite needs Node\.js 24 or later and this is v/,
  );
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
