import type { Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import { createUsers } from './2026-11-23-users.ts';

/** In the order of their names; a name that was once released never changes. */
const migrations = {
  '2026-11-23-users': createUsers,
};

/** Brings the tables up to date. */
export async function migrate<T>(db: Kysely<T>): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateToLatest();
  if (error) throw error;
}
