import { DatabaseSync } from 'node:sqlite';
import { openDatabase } from '../src/database/index.ts';
import { temporaryPath } from './temporary.ts';

export interface Seed {
  /** Of every user. */
  passwordHash?: string;
  /** When the token version of each was raised, in seconds since 1970; 0 when it never was. */
  raisedAtSeconds?: number;
}

/** A SQLite file of idcard with so many users. @returns its `DATABASE_URL` */
export async function createUsers(
  count: number,
  { passwordHash, raisedAtSeconds = 0 }: Seed = {},
): Promise<string> {
  const path = temporaryPath('.sqlite');
  const url = `sqlite:${path}`;
  const idcard = await openDatabase(url);
  await idcard.destroy();
  const database = new DatabaseSync(path);
  database
    .prepare(
      `WITH RECURSIVE numbers(number) AS
         (SELECT 0 UNION ALL SELECT number + 1 FROM numbers WHERE number + 1 < ?)
       INSERT INTO idcard_users (id, email, email_verified, password_hash, roles, status,
         token_version, token_version_raised_at, created_at)
       SELECT printf('${ID}', number), printf('${EMAIL}', number), 0, ?, '["admin"]', 'active',
         1, ?, 0 FROM numbers WHERE number < ?`,
    )
    .run(count, passwordHash ?? null, raisedAtSeconds, count);
  database.close();
  return url;
}

const ID = '00000000-0000-7000-8000-%012d';
const EMAIL = 'user%d@example.com';

export function userId(number: number): string {
  return ID.replace('%012d', String(number).padStart(12, '0'));
}

export function userEmail(number: number): string {
  return EMAIL.replace('%d', String(number));
}
