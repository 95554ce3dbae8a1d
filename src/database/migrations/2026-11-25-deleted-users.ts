import { type Kysely, sql } from 'kysely';
import type { Database } from '../schema.ts';

/** An index of deleted users by time. An index of all users would begin with everybody whose tokens were never voided. */
export async function indexDeletedUsers(db: Kysely<Database>): Promise<void> {
  await db.schema
    .createIndex('idcard_users_deleted')
    .on('idcard_users')
    .column('token_version_raised_at')
    .where(sql.ref('status'), '=', 'deleted')
    .execute();
}
