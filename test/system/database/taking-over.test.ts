import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Kysely, SqliteDialect } from 'kysely';
import { Migrator } from 'kysely/migration';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { openDatabase } from '../../../src/database/index.ts';
import { migrations } from '../../../src/database/migrations/index.ts';
import { createDirectory } from '../../../src/users/directory.ts';
import { START } from '../../support/app.ts';
import { FORMER, FORMER_TABLES } from '../../support/former-tables.ts';
import { execute, newDatabase } from '../../support/postgres.ts';
import { temporaryFolder } from '../../support/process.ts';
import { refusal } from '../../support/refusal.ts';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));

const TAKEN_OVER = '2026-11-30-taken-over';
const NAMES = Object.keys(migrations);

/** A database of each kind, and how to say something to it beside idcard. */
interface Raw {
  url: string;
  run(...statements: string[]): Promise<Record<string, unknown>[]>;
}

let nextFile = 0;
const kinds: Record<string, () => Promise<Raw>> = {
  async SQLite() {
    const path = join(folder, `${nextFile++}.sqlite`);
    return {
      url: `sqlite:${path}`,
      async run(...statements) {
        const database = new DatabaseSync(path);
        let rows: Record<string, unknown>[] = [];
        for (const statement of statements)
          rows = database
            .prepare(statement)
            .all()
            .map((row) => ({ ...row }));
        database.close();
        return rows;
      },
    };
  },
  async PostgreSQL() {
    const url = await newDatabase();
    return { url, run: (...statements) => execute(url, ...statements) };
  },
};

async function open(url: string): Promise<void> {
  await (await openDatabase(url)).destroy();
}

describe.each(Object.entries(kinds))('in %s', (kind, create) => {
  let url: string;
  let run: Raw['run'];
  beforeEach(async () => {
    ({ url, run } = await create());
  });

  /** Every table, view and index, less those without a name of their own. */
  async function everything(): Promise<string[]> {
    const rows = await run(
      kind === 'SQLite'
        ? "SELECT type || ' ' || name AS it FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY it"
        : `SELECT CASE relkind WHEN 'r' THEN 'table ' WHEN 'v' THEN 'view ' ELSE 'index ' END || relname AS it
             FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY it`,
    );
    return rows.map(({ it }) => String(it)).sort();
  }

  const OURS = [
    'index idcard_users_deleted',
    'index idcard_users_raised',
    'table idcard_migrations',
    'table idcard_users',
  ];

  async function names(): Promise<unknown[]> {
    return (await run('SELECT name FROM idcard_migrations ORDER BY name')).map(({ name }) => name);
  }

  test.each([
    ['all of the tables', FORMER],
    ['the tables of the first migration alone', FORMER_TABLES],
  ])('%s of the version before get the names of today, with their users', async (_what, former) => {
    await run(...former);
    for (let times = 0; times < 2; times++) {
      const db = await openDatabase(url);
      const directory = createDirectory(db, () => START);
      expect(await directory.findByEmail('ada@example.com')).toMatchObject({
        id: '01',
        passwordHash: 'hash',
      });
      expect(await directory.raisedSince(100)).toEqual([{ sub: '02', ver: 2, raisedAtSeconds: 100 }]);
      await directory.close();
      expect(await names()).toEqual([...NAMES, TAKEN_OVER]);
      expect(await everything()).toEqual(
        kind === 'SQLite'
          ? [...OURS, 'view kysely_migration', 'view kysely_migration_lock']
          : [
              'index idcard_migrations_pkey',
              'index idcard_users_deleted',
              'index idcard_users_email_key',
              'index idcard_users_pkey',
              'index idcard_users_raised',
              'table idcard_migrations',
              'table idcard_users',
              'view kysely_migration',
              'view kysely_migration_lock',
              'view users',
            ],
      );
    }
  });

  const APPLICATION = [
    'CREATE TABLE users (id integer PRIMARY KEY, email text)',
    "INSERT INTO users VALUES (7, 'eve@example.com')",
    'CREATE TABLE kysely_migration (name varchar(255) NOT NULL PRIMARY KEY, timestamp varchar(255) NOT NULL)',
    "INSERT INTO kysely_migration VALUES ('2020-01-01-users', '2020-01-01T00:00:00.000Z')",
    'CREATE TABLE kysely_migration_lock (id varchar(255) NOT NULL PRIMARY KEY, is_locked integer NOT NULL)',
  ];

  test.each([
    ['users and migrations of its own', APPLICATION],
    ['users alone', APPLICATION.slice(0, 2)],
    [
      'a migration of the same name, for other users',
      [
        ...APPLICATION,
        "INSERT INTO kysely_migration VALUES ('2026-11-23-users', '2026-11-23T10:00:00.000Z')",
      ],
    ],
    [
      'tables like ours, that other migrations made',
      [
        ...FORMER.slice(0, 5),
        "INSERT INTO kysely_migration VALUES ('2020-01-01-users', '2020-01-01T00:00:00.000Z')",
      ],
    ],
    [
      'views of these names',
      [
        'CREATE VIEW users AS SELECT 1 AS id',
        "CREATE VIEW kysely_migration AS SELECT '2026-11-23-users' AS name",
      ],
    ],
  ])('an application that has %s keeps them, and ours stand beside', async (_what, application) => {
    await run(...application);
    const before = await everything();
    const [user] = await run('SELECT * FROM users LIMIT 1');
    await open(url);
    await open(url);
    expect(await names()).toEqual(NAMES);
    const after = await everything();
    expect(after.filter((it) => !it.includes('idcard'))).toEqual(before);
    expect(after).toEqual(expect.arrayContaining(OURS));
    expect((await run('SELECT * FROM users LIMIT 1'))[0]).toEqual(user);
  });

  test.each([
    [
      'an idcard_users that is not ours',
      ['CREATE TABLE idcard_users (name text)'],
      /has something named idcard_users that is not idcard's/,
    ],
    [
      'an idcard_users that is a view',
      ['CREATE VIEW idcard_users AS SELECT 1 AS id'],
      /has something named idcard_users/,
    ],
    [
      'an idcard_migrations that is not ours',
      ['CREATE TABLE idcard_migrations (x integer)'],
      /has something named idcard_migrations/,
    ],
    [
      'an idcard_migrations with names of another program',
      ['CREATE TABLE idcard_migrations (name text)', "INSERT INTO idcard_migrations VALUES ('1')"],
      /has something named idcard_migrations/,
    ],
    [
      'former tables that a later version migrated',
      [...FORMER, "INSERT INTO kysely_migration VALUES ('2999-01-01', '2999-01-01T00:00:00Z')"],
      /was migrated by a later version of idcard: start that one\.$/,
    ],
    [
      'former tables and an index name of ours that is taken',
      [...FORMER_TABLES, 'CREATE TABLE idcard_users_deleted (x integer)'],
      /cannot be migrated/,
    ],
  ])('%s is refused, and nothing is changed or left behind', async (_what, statements, reason) => {
    await run(...statements);
    const before = await everything();
    expect(await refusal(openDatabase(url))).toMatch(reason);
    expect(await everything()).toEqual(before);
  });

  test.each([
    ['a new database', []],
    ['the tables of the version before', FORMER_TABLES],
  ])(
    'a start that fails in its last step leaves %s as it was, and the next one succeeds',
    async (_what, former) => {
      await run(...former);
      const before = await everything();
      const last = vi.spyOn(migrations, '2026-11-25-raised-versions').mockRejectedValue(new Error('no'));
      expect(await refusal(openDatabase(url))).toContain('cannot be migrated');
      last.mockRestore();
      expect(await everything()).toEqual(before);
      await open(url);
      expect(await everything()).toEqual(expect.arrayContaining(OURS));
    },
  );

  test('the tables of both versions are refused, since either may hold the users', async () => {
    await open(url);
    await run(...FORMER);
    expect(await refusal(openDatabase(url))).toMatch(
      /has the tables of two versions of idcard, idcard_users and the former users: drop those that hold nothing/,
    );
  });

  test.each([1, 2, 3])('four that open former tables at the same moment all succeed (%i)', async () => {
    await run(...FORMER);
    await Promise.all(Array.from({ length: 4 }, () => open(url)));
    expect(await names()).toEqual([...NAMES, TAKEN_OVER]);
  });
});

/** As the version before did at its start. */
function migrateLikeBefore(db: Kysely<unknown>) {
  const nothing = { up: async () => expect.fail('It migrates.') };
  const known = Object.fromEntries(NAMES.map((name) => [name, nothing]));
  return new Migrator({ db, provider: { getMigrations: async () => known } }).migrateToLatest();
}

describe('a SQLite file', () => {
  let path: string;
  beforeEach(() => {
    path = join(folder, `${nextFile++}.sqlite`);
  });

  function fill(statements: string[]): DatabaseSync {
    const database = new DatabaseSync(path);
    database.exec(`PRAGMA journal_mode=WAL; ${statements.join(';')}`);
    return database;
  }

  test('that the version before still serves is left to it, whose users are found as before', async () => {
    const serving = fill(FORMER);
    expect(await refusal(openDatabase(`sqlite:${path}`))).toBe(
      `The database ${path} is in use, maybe by an idcard of an earlier version, and its tables get other names: stop that one, and start again.`,
    );
    expect(serving.prepare('SELECT count(*) AS users FROM users').get()).toEqual({ users: 3 });
    serving.close();
    await open(`sqlite:${path}`);
  });

  test('that a failed start made is gone, and one that was there is not', async () => {
    const last = vi.spyOn(migrations, '2026-11-25-raised-versions').mockRejectedValue(new Error('no'));
    const inside = join(`${path}.folder`, 'users.sqlite');
    expect(await refusal(openDatabase(`sqlite:${inside}`))).toContain('cannot be migrated');
    expect(readdirSync(`${path}.folder`)).toEqual([]);

    new DatabaseSync(inside).close();
    expect(await refusal(openDatabase(`sqlite:${inside}`))).toContain('cannot be migrated');
    expect(readdirSync(`${path}.folder`)).toEqual(['users.sqlite']);
    last.mockRestore();
  });

  test('that was migrated is refused by the version before, which makes nothing there', async () => {
    fill(FORMER).close();
    await open(`sqlite:${path}`);
    const database = new DatabaseSync(path);
    const schema = () => database.prepare('SELECT name FROM sqlite_schema ORDER BY name').all();
    const before = schema();
    const db = new Kysely<unknown>({
      dialect: new SqliteDialect({
        database: {
          close: () => database.close(),
          prepare(sql) {
            const statement = database.prepare(sql);
            const values = (parameters: readonly unknown[]) => parameters as string[];
            return {
              reader: statement.columns().length > 0,
              all: (parameters) => statement.all(...values(parameters)),
              run: (parameters) => statement.run(...values(parameters)),
              iterate: (parameters) => statement.iterate(...values(parameters)),
            };
          },
        },
      }),
    });
    const { error } = await migrateLikeBefore(db);
    // The message that made it say "was migrated by a later version of idcard: start that one".
    expect(error).toMatchObject({
      message: `corrupted migrations: previously executed migration ${TAKEN_OVER} is missing`,
    });
    expect(schema()).toEqual(before);
    await db.destroy();
  });
});
