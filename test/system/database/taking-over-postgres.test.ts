import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { Client, Pool } from 'pg';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { openDatabase } from '../../../src/database/index.ts';
import { migrations } from '../../../src/database/migrations/index.ts';
import { migratePostgres } from '../../../src/database/migrations/postgres.ts';
import type { Database } from '../../../src/database/schema.ts';
import { createDirectory } from '../../../src/users/directory.ts';
import { START } from '../../support/app.ts';
import { FORMER } from '../../support/former-tables.ts';
import { execute, newDatabase, PASSWORD } from '../../support/postgres.ts';
import { refusal } from '../../support/refusal.ts';

let url: string;
beforeEach(async () => {
  url = await newDatabase();
});

async function open(as = url): Promise<void> {
  await (await openDatabase(as)).destroy();
}

/** A role of this database alone, and the URL of the database for it. */
async function newRole(): Promise<{ role: string; as: string }> {
  const role = `role_${randomBytes(4).toString('hex')}`;
  await execute(url, `CREATE ROLE ${role} LOGIN PASSWORD '${PASSWORD}'`);
  const as = new URL(url);
  as.username = role;
  return { role, as: as.href };
}

/** As the version before did at its start. */
async function migrateLikeBefore(as: string) {
  const db = new Kysely<unknown>({
    dialect: new PostgresDialect({ pool: new Pool({ connectionString: as, max: 1 }) }),
  });
  const nothing = { up: async () => expect.fail('It migrates.') };
  const known = Object.fromEntries(Object.keys(migrations).map((name) => [name, nothing]));
  const result = await new Migrator({ db, provider: { getMigrations: async () => known } }).migrateToLatest();
  await db.destroy();
  return result;
}

const COLUMNS =
  '"id", "email", "email_verified", "password_hash", "roles", "status", "token_version", "token_version_raised_at", "created_at"';

/** Every statement that the version before makes, word for word, and what it must answer: rows, or how many it changed. */
const STATEMENTS: [string, unknown[], unknown][] = [
  ['select * from "users" where "email" = $1', ['ada@example.com'], [{ id: '01' }]],
  ['select * from "users" where "id" = $1', ['02'], [{ id: '02' }]],
  [
    `insert into "users" (${COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict ("email") do nothing returning *`,
    ['04', 'eve@example.com', 0, 'hash', '[]', 'active', 1, 0, 8],
    [{ id: '04', email: 'eve@example.com', password_hash: 'hash' }],
  ],
  [
    `insert into "users" (${COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict ("email") do nothing returning *`,
    ['05', 'eve@example.com', 0, 'hash', '[]', 'active', 1, 0, 8],
    [],
  ],
  [
    'update "users" set "token_version" = "token_version" + $1, "token_version_raised_at" = $2, "status" = $3 where "id" = $4 and "password_hash" = $5 and "token_version" = $6 returning *',
    [1, 200, 'disabled', '04', 'hash', 1],
    [{ id: '04', token_version: 2, status: 'disabled' }],
  ],
  [
    'update "users" set "token_version" = "token_version" + $1, "roles" = $2 where "id" = $3 returning *',
    [0, '["author"]', 'nobody'],
    [],
  ],
  ['delete from "users" where "status" = \'deleted\' and "token_version_raised_at" < $1', [60], 1],
  [
    'update "users" set "email" = $1, "password_hash" = $2, "roles" = $3, "status" = $4, "token_version" = "token_version" + $5, "token_version_raised_at" = $6 where "id" = $7 and "status" != $8',
    ['04', null, '[]', 'deleted', 1, 300, '04', 'deleted'],
    1,
  ],
  [
    'select * from "users" where "id" > $1 and "status" != $2 order by "id" limit $3',
    ['', 'deleted', 10],
    [{ id: '01' }, { id: '02' }],
  ],
  [
    'select "id", "token_version", "token_version_raised_at" from "users" where "token_version_raised_at" >= $1 and "token_version_raised_at" > 0',
    [100],
    [{ id: '02' }, { id: '04' }],
  ],
  ['select count(*) as "count" from "users"', [], [{ count: '3' }]],
  [
    `select ${COLUMNS} from "users" where "id" > $1 order by "id" limit $2`,
    ['01', 1000],
    [{ id: '02' }, { id: '04' }],
  ],
  [`select ${COLUMNS} from "users" where "id" in ($1, $2)`, ['01', '09'], [{ id: '01' }]],
  [
    'select "id", "email" from "users" where ("id" in ($1) or "email" in ($2))',
    ['01', 'bob@example.com'],
    [{ id: '01' }, { id: '02' }],
  ],
  [
    `insert into "users" (${COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9), ($10, $11, $12, $13, $14, $15, $16, $17, $18) on conflict do nothing returning "id"`,
    [
      '01',
      'x@example.com',
      0,
      null,
      '[]',
      'active',
      1,
      0,
      8,
      '06',
      'y@example.com',
      0,
      null,
      '[]',
      'active',
      1,
      0,
      8,
    ],
    [{ id: '06' }],
  ],
];

describe('replicas of the version before', () => {
  test('serve on: each statement of theirs finds and changes what ours do', async () => {
    await execute(url, ...FORMER);
    await open();
    const before = new Client(url);
    await before.connect();
    for (const [text, values, answer] of STATEMENTS) {
      const { rows, rowCount } = await before.query(text, values);
      if (typeof answer === 'number') expect([text, rowCount]).toEqual([text, answer]);
      else expect([text, rows]).toMatchObject([text, answer as object[]]);
    }
    await before.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ');
    await before.query('LOCK TABLE users IN EXCLUSIVE MODE');
    await expect(execute(url, "SET lock_timeout = '50ms'", 'DELETE FROM idcard_users')).rejects.toMatchObject(
      {
        code: '55P03', // theirs keeps ours out
      },
    );
    await before.query('ROLLBACK');
    await before.end();
    const there = await execute(url, 'SELECT id FROM idcard_users ORDER BY id');
    expect(there.map(({ id }) => id)).toEqual(['01', '02', '04', '06']);
  });

  test('find by the same indexes', async () => {
    await execute(url, ...FORMER);
    await open();
    const plan = await execute(
      url,
      'SET enable_seqscan = off',
      "EXPLAIN SELECT * FROM users WHERE email = 'ada@example.com'",
    );
    expect(JSON.stringify(plan)).toContain('Index Scan using idcard_users_email_key on idcard_users');
  });

  test('start again, and even a rollback finds everybody', async () => {
    await execute(url, ...FORMER);
    await open();
    expect(await migrateLikeBefore(url)).toEqual({ results: [] });
    expect(await execute(url, "SELECT to_regclass('users') AS it, count(*) FROM users")).toEqual([
      { it: 'users', count: '3' },
    ]);
    await open();
  });

  test('that may not create tables keep their rights, and the new ones have the same', async () => {
    const { role, as } = await newRole();
    await execute(
      url,
      ...FORMER,
      `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role}`,
    );
    await open();
    expect(await execute(as, 'SELECT count(*) FROM users')).toEqual([{ count: '3' }]);
    await execute(as, "UPDATE users SET status = 'active'");
    expect(await migrateLikeBefore(as)).toEqual({ results: [] });
    await open(as);
  });

  test('whose role may read one column alone read that and no other', async () => {
    const { role, as } = await newRole();
    await execute(url, ...FORMER, `GRANT SELECT (email) ON users TO ${role}`);
    await open();
    expect(await execute(as, 'SELECT email FROM users ORDER BY email LIMIT 1')).toEqual([{ email: '03' }]);
    await expect(execute(as, 'SELECT password_hash FROM users')).rejects.toMatchObject({ code: '42501' });
  });

  test('leave views that database.md has dropped when none is left, after which the names are free', async () => {
    await execute(url, ...FORMER);
    await open();
    const [, drop = ''] =
      /```sql\n\s*(DROP VIEW .+;)\n/.exec(readFileSync('docs/operations/database.md', 'utf8')) ?? [];
    await execute(url, drop, 'CREATE TABLE users (id integer)');
    await open();
    expect(await execute(url, 'SELECT count(*) FROM idcard_users')).toEqual([{ count: '3' }]);
  });

  test('whose owner another one migrates for keep what they own', async () => {
    const { role, as } = await newRole();
    await execute(url, `GRANT CREATE ON SCHEMA public TO ${role}`);
    await execute(as, ...FORMER);
    await open(); // as the superuser
    expect(await execute(as, 'SELECT count(*) FROM users')).toEqual([{ count: '3' }]);
    expect(await migrateLikeBefore(as)).toEqual({ results: [] });
    await open(as);
  });
});

describe('names', () => {
  test('are those of today in every constraint and index', async () => {
    await execute(url, ...FORMER);
    await open();
    const named = await execute(
      url,
      `SELECT conname AS name FROM pg_constraint WHERE conrelid::regclass::text LIKE 'idcard%'
       UNION SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid::regclass::text LIKE 'idcard%'`,
    );
    const fresh = await newDatabase();
    await open(fresh);
    const today = await execute(
      fresh,
      `SELECT conname AS name FROM pg_constraint WHERE conrelid::regclass::text LIKE 'idcard%'
       UNION SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid::regclass::text LIKE 'idcard%'`,
    );
    const sorted = (rows: Record<string, unknown>[]) => rows.map(({ name }) => name).sort();
    expect(sorted(named)).toEqual(sorted(today));
    expect(sorted(named)).toContain('idcard_users_email_key');
  });
});

describe('a schema', () => {
  function along(path: string): string {
    return `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET search_path = ${path}`;
  }

  test('of ours is filled beside one of an application, whose tables may not even be read', async () => {
    const { role, as } = await newRole();
    await execute(
      url,
      ...FORMER.map((statement) => statement.replace("'2026-11-23-users'", "'2020-01-01-users'")),
      `GRANT CREATE ON SCHEMA public TO ${role}`,
    );
    await open(as);
    expect(await execute(url, 'SELECT count(*) FROM users')).toEqual([{ count: '3' }]);
    expect(await execute(as, 'SELECT count(*) FROM idcard_users')).toEqual([{ count: '0' }]);
  });

  test('is the first of the search_path, whatever the names mean in another', async () => {
    await execute(
      url,
      ...FORMER.map((statement) => statement.replace("'2026-11-23-users'", "'2020-01-01-users'")),
      'CREATE SCHEMA login',
      along('login, public'),
    );
    await open();
    await open();
    expect(
      await execute(url, "SELECT 'login.idcard_users'::regclass, (SELECT count(*) FROM public.users)"),
    ).toEqual([{ regclass: 'idcard_users', count: '3' }]);
  });

  test('outside of the search_path is no business of ours, even with another idcard', async () => {
    await execute(url, ...FORMER, 'CREATE SCHEMA login', along('login'));
    await open();
    expect(await execute(url, 'SELECT count(*) FROM idcard_users')).toEqual([{ count: '0' }]);
    expect(await execute(url, 'SELECT count(*) FROM public.users')).toEqual([{ count: '3' }]);
  });

  test.each(['former tables', 'tables of today'])(
    'that stands before the one with %s of ours is refused, since nobody would find the users',
    async (which) => {
      await execute(url, ...FORMER);
      if (which === 'tables of today') await open();
      await execute(url, 'CREATE SCHEMA login', along('login, public'));
      expect(await refusal(openDatabase(url))).toMatch(
        /has the tables of idcard in the schema public, but new ones would come into login, which is before it in the search_path: name one alone\.$/,
      );
      expect(
        await execute(url, "SELECT count(*) FROM pg_class WHERE relnamespace = 'login'::regnamespace"),
      ).toEqual([{ count: '0' }]);
    },
  );

  test('without the right to create in it is refused with what the server says', async () => {
    const { as } = await newRole();
    expect(await refusal(openDatabase(as))).toContain(
      'cannot be migrated, since its user may not (permission denied for schema public)',
    );
  });

  test('with tables of another owner is refused, and left as it is', async () => {
    const { role, as } = await newRole();
    await execute(
      url,
      ...FORMER,
      `GRANT ALL ON SCHEMA public TO ${role}`,
      `GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}`,
    );
    expect(await refusal(openDatabase(as))).toContain('its user may not (must be owner of table users)');
    expect(await execute(url, "SELECT relkind FROM pg_class WHERE relname = 'users'")).toEqual([
      { relkind: 'r' },
    ]);
  });

  test('that does not exist is refused', async () => {
    await execute(url, along('missing'));
    expect(await refusal(openDatabase(url))).toMatch(
      /cannot be migrated: .+"no schema has been selected to create in"/,
    );
  });
});

test.each(['', '127.0.0.1:1,'])(
  'a start that is cut off in the middle says so and leaves nothing, and the next one succeeds (%s)',
  async (unreachable) => {
    await execute(url, ...FORMER.slice(0, 9));
    const kill =
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()";
    const last = vi
      .spyOn(migrations, '2026-11-25-raised-versions')
      .mockImplementation(async () => void (await execute(url, kill)));
    const said = await refusal(openDatabase(url.replace('@', `@${unreachable}`)));
    last.mockRestore();
    // Whether the server's last word came before the loss was seen, or not; but nothing of rights, or of the other host.
    expect(said).toMatch(
      /^The PostgreSQL server \S+ cannot be (?:reached \(Client has encountered a connection error|used: it says "terminating connection)/,
    );
    expect(said).toContain(`${new URL(url).host} cannot be`);
    expect(await execute(url, "SELECT count(*) FROM pg_class WHERE relname LIKE 'idcard%'")).toEqual([
      { count: '0' },
    ]);
    await open();
  },
);

test('a start whose statement the server ends says what the server said', async () => {
  await execute(url, ...FORMER.slice(0, 9));
  const killing =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid() AND datname = current_database()";
  const last = vi.spyOn(migrations, '2026-11-25-raised-versions').mockImplementation(async (db) => {
    const sleeping = sql`SELECT pg_sleep(60)`.execute(db);
    const killed = vi.waitUntil(async () => (await execute(url, killing)).length > 0, { timeout: 20_000 });
    await Promise.all([sleeping, killed]);
  });
  const said = await refusal(openDatabase(url));
  last.mockRestore();
  expect(said).toContain(
    'cannot be used: it says "terminating connection due to administrator command" (57P01).',
  );
});

test.each(['repeatable read', 'serializable'])(
  'whoever waited for another one finds what that one did, where %s is the default',
  async (isolation) => {
    const name = new URL(url).pathname.slice(1);
    await execute(
      url,
      ...FORMER,
      `ALTER DATABASE ${name} SET default_transaction_isolation = '${isolation}'`,
    );
    const other = new Client(url);
    await other.connect();
    await other.query('BEGIN');
    await other.query(`SELECT pg_advisory_xact_lock(${0x69_64_63_61_72_64})`);
    const opening = open();
    const waiting = `SELECT 1 FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = '${name}'`;
    await vi.waitUntil(async () => (await execute(url, waiting)).length > 0, {
      interval: 20,
      timeout: 20_000,
    });
    await other.query('ALTER TABLE users RENAME TO idcard_users');
    await other.query('ALTER TABLE kysely_migration RENAME TO idcard_migrations');
    await other.query('COMMIT');
    await other.end();
    await opening;
    expect(await execute(url, 'SELECT count(*) FROM idcard_users')).toEqual([{ count: '3' }]);
  },
);

describe('while a long transaction reads the users', () => {
  let reader: Client;
  async function read(): Promise<void> {
    await execute(url, ...FORMER);
    reader = new Client(url);
    await reader.connect();
    await reader.query('BEGIN');
    await reader.query('SELECT * FROM users');
  }

  test('replicas are served between the attempts to rename, and one of these succeeds when it ends', async () => {
    await read();
    const opening = open();
    const waiting =
      "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    await vi.waitUntil(async () => (await execute(url, waiting)).length > 0, {
      interval: 20,
      timeout: 20_000,
    });
    // Behind the one that waits, then.
    expect(await execute(url, "SELECT id FROM users WHERE email = 'ada@example.com'")).toEqual([
      { id: '01' },
    ]);
    expect(await execute(url, "SELECT relkind FROM pg_class WHERE relname = 'users'")).toEqual([
      { relkind: 'r' },
    ]);
    await reader.query('COMMIT');
    await reader.end();
    await opening;
    expect(await execute(url, 'SELECT count(*) FROM idcard_users')).toEqual([{ count: '3' }]);
  });

  test('the start is refused in the end, and nothing was renamed', async () => {
    await read();
    const db = new Kysely<Database>({
      dialect: new PostgresDialect({ pool: new Pool({ connectionString: url, max: 1 }) }),
    });
    await expect(migratePostgres(db, true, 2)).rejects.toThrow(
      'since another transaction holds its tables: see pg_stat_activity',
    );
    await db.destroy();
    expect(await execute(url, "SELECT relkind FROM pg_class WHERE relname = 'users'")).toEqual([
      { relkind: 'r' },
    ]);
    await reader.end();
  });
});

test('an application that is migrated by Kysely goes on with that beside', async () => {
  await open();
  const db = new Kysely<unknown>({
    dialect: new PostgresDialect({ pool: new Pool({ connectionString: url, max: 1 }) }),
  });
  const users = {
    up: (of: Kysely<unknown>) => of.schema.createTable('users').addColumn('id', 'integer').execute(),
  };
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => ({ '2020-01-01-users': users }) },
  });
  expect((await migrator.migrateToLatest()).error).toBeUndefined();
  await db.destroy();
  const directory = createDirectory(await openDatabase(url), () => START);
  expect((await directory.add({ email: 'ada@example.com', passwordHash: null, roles: [] })).email).toBe(
    'ada@example.com',
  );
  await directory.close();
});
