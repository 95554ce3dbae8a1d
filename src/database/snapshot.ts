import { randomInt } from 'node:crypto';
import { statSync } from 'node:fs';
import { type Kysely, PostgresAdapter, sql } from 'kysely';
import type { Database } from './schema.ts';

/** Reads the database as it is at one moment, while others go on writing. */
export function inSnapshot<T>(
  db: Kysely<Database>,
  action: (snapshot: Kysely<Database>) => Promise<T>,
): Promise<T> {
  return db.transaction().setIsolationLevel('repeatable read').execute(action);
}

/** Reads the database and locks out changes: a server that wants to change a user meanwhile answers 503. */
export function holdingWrites<T>(
  db: Kysely<Database>,
  action: (held: Kysely<Database>) => Promise<T>,
): Promise<T> {
  return inSnapshot(db, async (held) => {
    // The lock comes first, so that the snapshot has what others wrote while it waited. In SQLite any UPDATE locks.
    const lock = isPostgres(db)
      ? sql`LOCK TABLE idcard_users IN EXCLUSIVE MODE`
      : sql`UPDATE idcard_users SET id = id WHERE false`;
    await lock.execute(held);
    return action(held);
  });
}

/** Whether two connections lead to one database, whatever their URLs say. @param one in a transaction */
export async function isSameDatabase(one: Kysely<Database>, other: Kysely<Database>): Promise<boolean> {
  if (isPostgres(one) !== isPostgres(other)) return false;
  if (!isPostgres(one)) return (await fileOf(one)) === (await fileOf(other));
  // Names and addresses prove nothing. An advisory lock is visible only in its own database.
  const key = sql.val(randomInt(2 ** 47));
  await sql`SELECT pg_advisory_xact_lock(${key})`.execute(one);
  const { rows } = await sql<{ free: boolean }>`SELECT pg_try_advisory_xact_lock(${key}) AS free`.execute(
    other,
  );
  return rows[0]?.free === false;
}

async function fileOf(db: Kysely<Database>): Promise<string> {
  const { rows } = await sql<{ file: string }>`PRAGMA database_list`.execute(db);
  const { dev, ino } = statSync(rows[0]?.file ?? '', { bigint: true });
  return `${dev}:${ino}`;
}

function isPostgres(db: Kysely<Database>): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter;
}
