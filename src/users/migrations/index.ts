import type { Kysely } from 'kysely';
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

/** Brings the tables up to date. */
export async function migrate<T>(db: Kysely<T>): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateToLatest();
  if (error) throw error;
}

/** The one sentence for a database that `migrate` could not bring up to date. */
export function migrationRefusal(cause: unknown, name: string, advice: string): StartupError {
  // What Kysely says of a migration that was made and is not known here.
  const isLater = cause instanceof Error && /^corrupted migrations: .* is missing$/.test(cause.message);
  const reason = isLater
    ? 'was migrated by a later version of idcard: start that one'
    : `cannot be migrated: ${advice}`;
  return new StartupError(`The database ${name} ${reason}.`, { cause });
}
