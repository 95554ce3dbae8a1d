import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Has all that a poll asks for, of those alone who were ever voided: no row of the table is read, nor a registration slowed. */
export const coverRaisedVersions: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createIndex('users_raised')
      .on('users')
      .columns(['token_version_raised_at', 'id', 'token_version'])
      .where(sql.ref('token_version_raised_at'), '>', 0)
      .execute();
    await db.schema.dropIndex('users_token_version_raised_at').execute();
  },
};
