import { type Kysely, sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StartupError } from '../../../src/base/startup-error.ts';
import { openDatabase } from '../../../src/database/index.ts';
import { migrations } from '../../../src/database/migrations/index.ts';
import type { Database } from '../../../src/database/schema.ts';
import { createDirectory } from '../../../src/users/directory.ts';
import { START } from '../../support/app.ts';
import { execute, newDatabase, PASSWORD } from '../../support/postgres.ts';
import { findFreePort } from '../../support/process.ts';

const LATER = "INSERT INTO idcard_migrations VALUES ('2999-01-01-later', '2999-01-01T00:00:00Z')";

let url: string;
beforeEach(async () => {
  url = await newDatabase();
});

function changed(change: (url: URL) => void): string {
  const copy = new URL(url);
  change(copy);
  return copy.href;
}

async function refusal(refused: string): Promise<string> {
  const error = await openDatabase(refused).then(
    (db) => db.destroy(),
    (reason: unknown) => reason,
  );
  if (!(error instanceof StartupError)) throw new Error('It was opened.', { cause: error });
  expect(error.message).toMatch(/^[^\n]+\.$/);
  expect(`${error.message} ${error.cause}`).not.toContain(PASSWORD);
  return error.message;
}

describe('a database that is opened', () => {
  let db: Kysely<Database>;
  beforeEach(async () => {
    db = await openDatabase(url);
  });
  afterEach(() => db.destroy());

  test('has text, integer and bigint only', async () => {
    const { rows } = await sql`
      SELECT column_name, data_type, is_nullable FROM information_schema.columns
      WHERE table_name = 'idcard_users' ORDER BY ordinal_position`.execute(db);
    expect(rows.map((row) => Object.values(row as object).join(' '))).toEqual([
      'id text NO',
      'email text NO',
      'email_verified integer NO',
      'password_hash text YES',
      'roles text NO',
      'status text NO',
      'token_version integer NO',
      'token_version_raised_at bigint NO',
      'created_at bigint NO',
    ]);
  });

  test('again has its users and is not migrated twice', async () => {
    const ada = { email: 'ada@example.com', passwordHash: null, roles: [] };
    const user = await createDirectory(db, () => START).add(ada);
    const again = await openDatabase(url);
    expect(await createDirectory(again, () => START).findByEmail(ada.email)).toEqual(user);
    const { rows } = await sql<{ name: string }>`SELECT name FROM idcard_migrations`.execute(again);
    expect(rows.map(({ name }) => name)).toEqual(Object.keys(migrations));
    await again.destroy();
  });

  test('throws what is a mistake in a query as it is, and not as trouble with the server', async () => {
    await expect(sql`SELECT * FROM missing`.execute(db)).rejects.toMatchObject({ code: '42P01' });
    await expect(sql`INSERT INTO idcard_users (id) VALUES ('x')`.execute(db)).rejects.toMatchObject({
      code: '23502',
    });
  });
});

describe('a new database', () => {
  test('that ten replicas open at the same moment is migrated once', async () => {
    const opened = await Promise.all(Array.from({ length: 10 }, () => openDatabase(url)));
    for (const db of opened) expect(await db.selectFrom('idcard_users').selectAll().execute()).toEqual([]);
    await Promise.all(opened.map((db) => db.destroy()));
    expect(await execute(url, 'SELECT name FROM idcard_migrations')).toHaveLength(
      Object.keys(migrations).length,
    );
  });

  test('in which a migration fails keeps nothing of it, and is migrated when the cause is gone', async () => {
    await execute(url, 'CREATE TABLE idcard_users_token_version_raised_at ()'); // the name of the index
    expect(await refusal(url)).toContain(
      'cannot be migrated: check that it is idcard\'s and that its user may create tables (the server says "relation \\"idcard_users_token_version_raised_at\\" already exists")',
    );
    expect(await execute(url, "SELECT to_regclass('idcard_users') AS users")).toEqual([{ users: null }]);
    expect(await execute(url, "SELECT to_regclass('idcard_migrations') AS made")).toEqual([{ made: null }]);

    await execute(url, 'DROP TABLE idcard_users_token_version_raised_at');
    await (await openDatabase(url)).destroy();
  });

  test('that is migrated is served by a user who may not create tables', async () => {
    await (await openDatabase(url)).destroy();
    await execute(
      url,
      `CREATE ROLE clerk_${START} LOGIN PASSWORD '${PASSWORD}'`,
      `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO clerk_${START}`,
    );
    const db = await openDatabase(
      changed((to) => {
        to.username = `clerk_${START}`;
      }),
    );
    const directory = createDirectory(db, () => START);
    const user = await directory.add({ email: 'ada@example.com', passwordHash: null, roles: [] });
    expect(await directory.remove(user.id)).toBe(true);
    await directory.close();
    await execute(url, `DROP OWNED BY clerk_${START}`, `DROP ROLE clerk_${START}`);
  });
});

test('the schema that options name is the one that is migrated and served, under the name that the URL gives', async () => {
  await execute(url, 'CREATE SCHEMA login');
  const db = await openDatabase(`${url}?options=-c%20search_path%3Dlogin&application_name=gate`);
  await createDirectory(db, () => START).add({ email: 'ada@example.com', passwordHash: null, roles: [] });
  expect(await execute(url, 'SELECT email FROM login.idcard_users')).toEqual([{ email: 'ada@example.com' }]);
  expect(await execute(url, "SELECT to_regclass('public.idcard_users') AS users")).toEqual([{ users: null }]);
  expect(await execute(url, "SELECT 1 FROM pg_stat_activity WHERE application_name = 'gate'")).not.toEqual(
    [],
  );
  await db.destroy();
});

describe('the start is refused, with a sentence and without the password, when', () => {
  const name = () => new URL(url).pathname.slice(1);

  test('the password is wrong, or missing', async () => {
    for (const password of ['another', '']) {
      const message = await refusal(
        changed((to) => {
          to.password = password;
        }),
      );
      expect(message).toMatch(
        /^The PostgreSQL server 127.0.0.1:\d+ refuses the user or the password of DATABASE_URL\.$/,
      );
    }
  });

  test('there is no such database', async () => {
    const missing = changed((to) => {
      to.pathname = '/missing';
    });
    expect(await refusal(missing)).toContain('has no database missing: create it, owned by postgres.');
  });

  test('nobody listens there', async () => {
    const port = String(await findFreePort());
    const elsewhere = changed((to) => {
      to.port = port;
    });
    expect(await refusal(elsewhere)).toContain(`127.0.0.1:${port} cannot be reached (ECONNREFUSED)`);
  });

  test('there is no such host', async () => {
    const nowhere = changed((to) => {
      to.hostname = 'nowhere.invalid';
      to.search = '?sslmode=disable';
    });
    expect(await refusal(nowhere)).toMatch(
      /nowhere\.invalid:\d+ cannot be reached \((?:ENOTFOUND|EAI_AGAIN)\)/,
    );
  });

  test('TLS is asked for and there is none', async () => {
    for (const mode of ['require', 'verify-full']) {
      expect(await refusal(`${url}?sslmode=${mode}`)).toContain('offers no TLS: turn it on there');
    }
  });

  test('it was migrated by a later version', async () => {
    await (await openDatabase(url)).destroy();
    await execute(url, LATER);
    expect(await refusal(url)).toBe(
      `The database ${name()} was migrated by a later version of idcard: start that one.`,
    );
  });

  test('it could not store every email', async () => {
    const latin = await newDatabase("ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    expect(await refusal(latin)).toBe(
      "The database has the encoding LATIN1: create it with ENCODING 'UTF8'.",
    );
  });

  test('it takes no changes', async () => {
    await execute(url, `ALTER DATABASE ${name()} SET default_transaction_read_only = on`);
    expect(await refusal(url)).toMatch(/takes no changes, as a standby does: name its primary, or both/);
  });

  test('none of several hosts serves, each with its reason', async () => {
    const port = await findFreePort();
    await execute(url, `ALTER DATABASE ${name()} SET default_transaction_read_only = on`);
    const several = url.replace('@', `@127.0.0.1:${port},`);
    expect(await refusal(several)).toMatch(
      /^The PostgreSQL server 127\.0\.0\.1:\d+ cannot be reached \(ECONNREFUSED\).*\. The PostgreSQL server .* takes no changes/,
    );
  });

  test('it lets nobody else in', async () => {
    const elsewhere = changed((to) => {
      to.pathname = '/postgres';
    });
    await execute(elsewhere, `ALTER DATABASE ${name()} WITH ALLOW_CONNECTIONS false`);
    expect(await refusal(url)).toMatch(
      /cannot be used: it says ".*not currently accepting connections" \(55000\)/,
    );
  });
});
