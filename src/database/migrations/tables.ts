import { type Kysely, sql } from 'kysely';
import type { Database } from '../schema.ts';

/** A schema, and what it has. */
export interface Place {
  schema: string;
  /** The columns of each readable table, by its name. What is no readable table has the empty set. */
  relations: Map<string, Set<string>>;
}

/** The names of our tables, and their former names. */
export const NAMES = [
  'idcard_users',
  'idcard_migrations',
  'users',
  'kysely_migration',
  'kysely_migration_lock',
] as const;

export const FIRST_MIGRATION = '2026-11-23-users';

/** Recorded as a migration where former tables were renamed. It says that the views of the former names are ours. */
export const TAKEN_OVER = '2026-11-30-taken-over';

const COLUMNS = [
  'id',
  'email',
  'email_verified',
  'password_hash',
  'roles',
  'status',
  'token_version',
  'token_version_raised_at',
  'created_at',
];

/** Whether the `users` of a schema is ours: an application may have one too, and be migrated by Kysely as idcard was. */
export async function hasFormerTables(db: Kysely<Database>, place?: Place): Promise<boolean> {
  const users = place?.relations.get('users');
  const isLikeOurs = COLUMNS.every((column) => users?.has(column));
  if (!isLikeOurs || !place?.relations.get('kysely_migration')?.has('name')) return false;
  const table = sql.table(`${place.schema}.kysely_migration`);
  const { rows } = await sql`SELECT name FROM ${table} WHERE name = ${FIRST_MIGRATION}`.execute(db);
  return rows.length > 0;
}
