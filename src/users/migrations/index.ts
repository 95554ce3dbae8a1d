import { type Kysely, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { StartupError } from '../../startup-error.ts';
import { createUsers } from './2026-11-23-users.ts';
import { indexDeletedUsers } from './2026-11-25-deleted-users.ts';
import { coverRaisedVersions } from './2026-11-25-raised-versions.ts';

/** In the order of their names; a name that was once released never changes. */
export const migrations = {
  '2026-11-23-users': createUsers,
  '2026-11-25-deleted-users': indexDeletedUsers,
  '2026-11-25-raised-versions': coverRaisedVersions,
};

/** There is no database of idcard, and none is to be made. */
export class MissingDatabase extends Error {}

/**
 * Brings the tables up to date.
 * @param mayCreate whether it makes the first ones
 * @throws MissingDatabase
 */
export async function migrate<T>(db: Kysely<T>, mayCreate: boolean): Promise<void> {
  if (!mayCreate && !(await hasTables(db))) throw new MissingDatabase();
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateToLatest();
  if (error) throw error;
}

async function hasTables<T>(db: Kysely<T>): Promise<boolean> {
  try {
    const { rows } = await sql`SELECT name FROM kysely_migration LIMIT 1`.execute(db);
    return rows.length > 0;
  } catch (error) {
    if (isNoSuchTable(error)) return false;
    throw error;
  }
}

function isNoSuchTable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? error.code : undefined;
  return code === '42P01' || error.message.startsWith('no such table'); // PostgreSQL, SQLite
}

/** The one sentence for a database that `migrate` could not bring up to date. */
export function migrationRefusal(cause: unknown, name: string, advice: string): Error {
  if (cause instanceof MissingDatabase) return cause;
  // What Kysely says of a migration that was made and is not known here.
  const isLater = cause instanceof Error && /^corrupted migrations: .* is missing$/.test(cause.message);
  const reason = isLater
    ? 'was migrated by a later version of idcard: start that one'
    : `cannot be migrated: ${advice}`;
  return new StartupError(`The database ${name} ${reason}.`, { cause });
}
