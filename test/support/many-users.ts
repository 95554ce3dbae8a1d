import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from '../../src/database/index.ts';

/** Fills a new SQLite file with users of every kind. @param hashes the password hashes of the first ones, by number */
export async function createManyUsers(path: string, count: number, hashes: string[] = []): Promise<void> {
  await (await openDatabase(`sqlite:${path}`)).destroy();
  const database = new DatabaseSync(path);
  database.exec(`
    WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count - 1}),
    users_to_be AS (SELECT n, n % 11 = 10 AS is_deleted, printf('%08x-%04x-7%03x-a%03x-%012x',
      26740000 + n / 500, n % 65536, n % 4096, n % 4095, n) AS id FROM numbers)
    INSERT INTO idcard_users SELECT
      id,
      CASE WHEN is_deleted THEN id ELSE 'üser' || n || '@example.com' END,
      n % 2,
      CASE WHEN is_deleted OR n % 13 = 12 THEN NULL
        ELSE '$argon2id$v=19$m=19456,t=2,p=1$' || printf('%022d$%043d', n, n) END,
      CASE WHEN n % 7 = 0 AND NOT is_deleted THEN '["admin","author"]' ELSE '[]' END,
      CASE WHEN is_deleted THEN 'deleted' WHEN n % 5 = 4 THEN 'disabled' ELSE 'active' END,
      1 + n % 3,
      CASE WHEN n % 3 = 0 THEN 0 ELSE 1795435200 + n END,
      1795435000 + n
    FROM users_to_be`);
  const setHash = database.prepare('UPDATE idcard_users SET password_hash = ? WHERE email = ?');
  for (const [number, hash] of hashes.entries()) setHash.run(hash, `üser${number}@example.com`);
  database.close();
}

/** How many users a SQLite file has now. */
export function countUsers(path: string): number {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return Number(database.prepare('SELECT count(*) AS users FROM idcard_users').get()?.users);
  } finally {
    database.close();
  }
}

export async function eventually(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(5);
}
