import { DatabaseSync } from 'node:sqlite';
import { openDatabase } from '../src/database/index.ts';
import { execute } from '../test/support/postgres.ts';
import type { Postgres } from './postgres.ts';
import { temporaryPath } from './temporary.ts';

/** How many users had their tokens voided within the last five minutes, and how many were deleted within the day. */
const LATELY = 100;

/** A multiplier without a factor in common with 2^32: no two numbers below that give the same, nor any order. */
const SCATTER = 2_654_435_761;
const FIRST_MS = 1_760_000_000_000;

export interface Filling {
  count: number;
  /** When it is filled. */
  nowSeconds: number;
  /** Of every user. */
  passwordHash: string;
}

/** In no order, as people's are. */
export function emailOf(number: number): string {
  return `${hex(scatter(number), 8)}.lovelace@example.com`;
}

/** UUIDv7: in the order of the registrations, one a second, and random beyond. */
export function idOf(number: number): string {
  const ms = FIRST_MS + number * 1000;
  const random = scatter(number);
  const time = `${hex(Math.floor(ms / 65_536), 8)}-${hex(ms % 65_536, 4)}`;
  return `${time}-7${hex(random % 4096, 3)}-8${hex(random % 4093, 3)}-${hex(random, 12)}`;
}

/** A SQLite file with so many users. @returns its `DATABASE_URL` */
export async function fillSqlite(filling: Filling): Promise<string> {
  const path = temporaryPath('.sqlite');
  const url = `sqlite:${path}`;
  await (await openDatabase(url)).destroy();
  const database = new DatabaseSync(path);
  // As much memory as the indexes need, since the emails come in no order; and no care: it is done again if it fails.
  database.exec('PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF; PRAGMA cache_size=-4000000');
  const format = (digits: number, value: string) => `printf('%0${digits}x', ${value})`;
  const numbers = `WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ${filling.count})`;
  database.exec(`${numbers} INSERT INTO idcard_users ${usersOf('numbers', filling, format)}`);
  database.exec('ANALYZE; PRAGMA journal_mode=WAL');
  database.close();
  return url;
}

/** A PostgreSQL database with so many users. @returns its `DATABASE_URL` */
export async function fillPostgres(postgres: Postgres, filling: Filling): Promise<string> {
  const url = await postgres.createDatabase();
  await (await openDatabase(url)).destroy();
  const format = (digits: number, value: string) => `lpad(to_hex(${value}), ${digits}, '0')`;
  const numbers = `generate_series(0, ${filling.count - 1}::bigint) AS numbers(n)`;
  await execute(
    url,
    "SET synchronous_commit = off; SET maintenance_work_mem = '1GB'",
    'ALTER TABLE idcard_users DROP CONSTRAINT idcard_users_email_key', // made at once afterwards, instead of in no order
    `INSERT INTO idcard_users ${usersOf(numbers, filling, format)}`,
    'ALTER TABLE idcard_users ADD CONSTRAINT idcard_users_email_key UNIQUE (email)',
    'VACUUM ANALYZE idcard_users',
    'CHECKPOINT',
  );
  return url;
}

/** What `emailOf` and `idOf` say, and the rest of a user, of each number `n`. */
function usersOf(
  numbers: string,
  { count, nowSeconds, passwordHash }: Filling,
  format: (digits: number, value: string) => string,
): string {
  const random = `(n * ${SCATTER}) % 4294967296`;
  const ms = `(${FIRST_MS} + n * 1000)`;
  const id = [
    format(8, `${ms} / 65536`),
    format(4, `${ms} % 65536`),
    `'7' || ${format(3, `${random} % 4096`)}`,
    `'8' || ${format(3, `${random} % 4093`)}`,
    format(12, random),
  ].join(" || '-' || ");
  const every = Math.floor(count / LATELY);
  return `
    SELECT ${id}, ${format(8, random)} || '.lovelace@example.com', 0, '${passwordHash}', '["author"]',
      CASE WHEN n % ${every} = 1 THEN 'deleted' ELSE 'active' END, 1,
      CASE
        WHEN n % ${every} = 0 THEN ${nowSeconds} - n % 300
        WHEN n % ${every} = 1 THEN ${nowSeconds} - 3600 - ${random} % 80000
        WHEN n % 10 = 3 THEN ${nowSeconds} - 86400 - ${random} % 31536000
        ELSE 0
      END, ${Math.floor(FIRST_MS / 1000)} + n
    FROM ${numbers}`;
}

function scatter(number: number): number {
  return Math.imul(number, SCATTER) >>> 0;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
