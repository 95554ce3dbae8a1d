import { type Kysely, sql } from 'kysely';
import type { Database } from '../schema.ts';

/** Finds the deleted users that are old enough to go; by time alone, everybody whose tokens were never voided is older. */
export async function indexDeletedUsers(db: Kysely<Database>): Promise<void> {
  await db.schema
    .createIndex('idcard_users_deleted')
    .on('idcard_users')
    .column('token_version_raised_at')
    .where(sql.ref('status'), '=', 'deleted')
    .execute();
}
