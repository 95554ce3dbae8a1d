import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

export const createUsers: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('users')
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
      .createIndex('users_token_version_raised_at')
      .on('users')
      .column('token_version_raised_at')
      .execute();
  },
};
