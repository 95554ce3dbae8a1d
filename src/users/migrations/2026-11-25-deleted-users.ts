import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Finds the deleted users that are old enough to go; by time alone, everybody whose tokens were never voided is older. */
export const indexDeletedUsers: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createIndex('users_deleted')
      .on('users')
      .column('token_version_raised_at')
      .where(sql.ref('status'), '=', 'deleted')
      .execute();
  },
};
