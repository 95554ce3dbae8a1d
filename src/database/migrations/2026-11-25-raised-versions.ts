import { type Kysely, sql } from 'kysely';
import type { Database } from '../schema.ts';

/** Has all that a poll asks for, of those alone who were ever voided: no row of the table is read, nor a registration slowed. */
export async function coverRaisedVersions(db: Kysely<Database>): Promise<void> {
  await db.schema
    .createIndex('idcard_users_raised')
    .on('idcard_users')
    .columns(['token_version_raised_at', 'id', 'token_version'])
    .where(sql.ref('token_version_raised_at'), '>', 0)
    .execute();
  await db.schema.dropIndex('idcard_users_token_version_raised_at').ifExists().execute();
}
