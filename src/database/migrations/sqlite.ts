import { type Kysely, sql } from 'kysely';
import type { Database } from '../schema.ts';
import type { Engine } from './index.ts';
import { FIRST_MIGRATION, hasFormerTables, NAMES, type Place } from './tables.ts';

/**
 * The views tell a process of the version before that a later version was here; without them it would make an empty `users`.
 * A view cannot serve that process as in PostgreSQL, since SQLite has no upsert into a view.
 */
const TAKE_OVER = [
  'ALTER TABLE users RENAME TO idcard_users',
  'ALTER TABLE kysely_migration RENAME TO idcard_migrations',
  'DROP TABLE IF EXISTS kysely_migration_lock',
  'CREATE VIEW kysely_migration AS SELECT name, timestamp FROM idcard_migrations',
  "CREATE VIEW kysely_migration_lock AS SELECT 'migration_lock' AS id, 0 AS is_locked",
  // SQLite cannot rename an index, so the migrations that follow make the indexes again.
  'DROP INDEX IF EXISTS users_token_version_raised_at',
  'DROP INDEX IF EXISTS users_deleted',
  'DROP INDEX IF EXISTS users_raised',
  `DELETE FROM idcard_migrations WHERE name <> '${FIRST_MIGRATION}'`,
];

export const sqliteEngine: Engine = {
  look: async (db) => [await look(db)],
  async takeOver(db) {
    for (const statement of TAKE_OVER) await sql.raw(statement).execute(db);
  },
};

/** Whether a migration would rename tables. A process that has the file open would go on to look for the former names. */
export async function willRename(db: Kysely<Database>): Promise<boolean> {
  return hasFormerTables(db, await look(db));
}

async function look(db: Kysely<Database>): Promise<Place> {
  const { rows } = await sql<{ name: string; column: string | null }>`
    SELECT lower(relation.name) AS name, columns.name AS "column"
    FROM sqlite_schema AS relation
    LEFT JOIN pragma_table_info(CASE relation.type WHEN 'table' THEN relation.name END) AS columns
    WHERE lower(relation.name) IN (${sql.join(NAMES)})`.execute(db);
  const relations = new Map<string, Set<string>>();
  for (const { name, column } of rows) {
    const columns = relations.get(name) ?? new Set();
    relations.set(name, column === null ? columns : columns.add(column));
  }
  return { schema: 'main', relations };
}
