import { type Kysely, sql } from 'kysely';
import type { Database } from '../schema.ts';

/**
 * An index that answers a poll without reading the table. It holds only users whose tokens were ever voided, so that it slows
 * no registration.
 */
export async function coverRaisedVersions(db: Kysely<Database>): Promise<void> {
  await db.schema
    .createIndex('idcard_users_raised')
    .on('idcard_users')
    .columns(['token_version_raised_at', 'id', 'token_version'])
    .where(sql.ref('token_version_raised_at'), '>', 0)
    .execute();
  await db.schema.dropIndex('idcard_users_token_version_raised_at').ifExists().execute();
}
