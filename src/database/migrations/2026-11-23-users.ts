import type { Kysely } from 'kysely';
import type { Database } from '../schema.ts';

export async function createUsers(db: Kysely<Database>): Promise<void> {
  await db.schema
    .createTable('idcard_users')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('email', 'text', (column) => column.notNull().unique())
    .addColumn('email_verified', 'integer', (column) => column.notNull())
    .addColumn('password_hash', 'text')
    .addColumn('roles', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('token_version', 'integer', (column) => column.notNull())
    .addColumn('token_version_raised_at', 'bigint', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex('idcard_users_token_version_raised_at')
    .on('idcard_users')
    .column('token_version_raised_at')
    .execute();
}
