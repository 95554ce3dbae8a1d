import { type Kysely, sql } from 'kysely';
import type { Database } from '../schema.ts';

/** Where tables are: a schema. */
export interface Place {
  schema: string;
  /** By its name the columns of each table that can be read, and none for whatever else has the name. */
  relations: Map<string, Set<string>>;
}

/** Ours, and what they were called before. */
export const NAMES = [
  'idcard_users',
  'idcard_migrations',
  'users',
  'kysely_migration',
  'kysely_migration_lock',
] as const;

export const FIRST_MIGRATION = '2026-11-23-users';

/** What is recorded as a migration where former tables got the names of today: the views of the former names are ours. */
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

/** Whether the `users` here is ours: an application may well have one too, and be migrated by Kysely like idcard was. */
export async function hasFormerTables(db: Kysely<Database>, place?: Place): Promise<boolean> {
  const users = place?.relations.get('users');
  const isLikeOurs = COLUMNS.every((column) => users?.has(column));
  if (!isLikeOurs || !place?.relations.get('kysely_migration')?.has('name')) return false;
  const table = sql.table(`${place.schema}.kysely_migration`);
  const { rows } = await sql`SELECT name FROM ${table} WHERE name = ${FIRST_MIGRATION}`.execute(db);
  return rows.length > 0;
}
