import { closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kysely, type SqliteDatabase, SqliteDialect } from 'kysely';
import { isGivenToGroup, takeBack } from '../../private-file.ts';
import { unavailable } from '../../problems/catalogue.ts';
import { Problem } from '../../problems/problem.ts';
import { StartupError } from '../../startup-error.ts';
import { MissingDatabase, migrate, migrationRefusal } from '../migrations/index.ts';
import type { Database, Patience } from './schema.ts';

/**
 * How long to wait for a lock. That stops the whole process, verification too, so a request waits for a moment only.
 */
const BUSY_TIMEOUT_MS = { brief: 500, patient: 10_000 };

/**
 * Opens, or creates with mode 0600, the SQLite file of a `sqlite:` URL and migrates it.
 * @param path a file, or `:memory:`
 * @throws StartupError, and MissingDatabase where it may not create one
 */
export async function openSqlite(
  path: string,
  patience: Patience,
  mayCreate: boolean,
): Promise<Kysely<Database>> {
  if (!mayCreate && isMissing(path)) throw new MissingDatabase();
  const db = await openMigrated(await openFile(path), path, patience, mayCreate);
  // Only now: what a typing error named may be somebody else's.
  for (const file of [path, `${path}-wal`, `${path}-shm`]) if (existsSync(file)) makePrivate(file);
  return db;
}

/** A database in a file that nobody else sees, and that is gone when it is closed. */
export async function openTemporarySqlite(): Promise<Kysely<Database>> {
  return openMigrated(sqliteOf(''), 'for temporary use', 'patient', true);
}

async function openMigrated(
  database: DatabaseSync,
  path: string,
  patience: Patience,
  mayCreate: boolean,
): Promise<Kysely<Database>> {
  const db = new Kysely<Database>({ dialect: new SqliteDialect({ database: kyselyDatabase(database) }) });
  try {
    // Several processes may start on one file: the first one migrates, the others wait and find it done.
    database.exec('BEGIN IMMEDIATE');
    await migrate(db, mayCreate);
    database.exec('COMMIT');
    database.exec(`PRAGMA busy_timeout=${BUSY_TIMEOUT_MS[patience]}`);
  } catch (cause) {
    database.close();
    throw migrationRefusal(cause, path, adviceOn(cause) ?? "check that it is idcard's and writable");
  }
  return db;
}

async function openFile(path: string): Promise<DatabaseSync> {
  let database: DatabaseSync | undefined;
  try {
    if (path !== ':memory:') {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      closeSync(openSync(path, 'a', 0o600)); // SQLite itself would create it readable by all
    }
    database = sqliteOf(path);
    await writeAhead(database);
    // FULL: a user who was told "201" is there after a power cut.
    database.exec('PRAGMA busy_timeout=5000; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON');
    return database;
  } catch (cause) {
    database?.close();
    if (cause instanceof StartupError) throw cause;
    const advice = adviceOn(cause) ?? 'check that DATA_DIR is a folder this user can write to';
    throw new StartupError(`The database ${path} cannot be opened: ${advice}.`, { cause });
  }
}

/** Not imported: where there is none, as in Node.js 20, a program could not even be told so. @throws StartupError */
function sqliteOf(path: string): DatabaseSync {
  const sqlite = process.getBuiltinModule('node:sqlite') as typeof import('node:sqlite') | undefined;
  if (!sqlite) throw new StartupError(`SQLite needs Node.js 24 or later and this is ${process.version}.`);
  return new sqlite.DatabaseSync(path);
}

/** It holds password hashes. What cannot be changed, such as a file of another user, is only told. */
function makePrivate(file: string): void {
  const stats = statSync(file);
  if (process.platform === 'win32' || (stats.mode & 0o077) === 0) return;
  const isPrivate = takeBack(file);
  if (isPrivate && isGivenToGroup(file, stats)) return; // as at each mount
  const was = `idcard: Other users could read ${file} (mode ${(stats.mode & 0o777).toString(8)})`;
  console.error(
    isPrivate ? `${was}, and can no more.` : `${was}, and still can: its owner has to change that.`,
  );
}

/** Whatever else is wrong with the path is told when it is opened. */
function isMissing(path: string): boolean {
  try {
    statSync(path);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT';
  }
}

/** The change to WAL needs the file alone, and SQLite does not wait for that while another process starts too. */
async function writeAhead(database: DatabaseSync): Promise<void> {
  for (let attemptsLeft = 100; ; attemptsLeft--) {
    try {
      database.exec('PRAGMA journal_mode=WAL');
      return;
    } catch (error) {
      if (resultCode(error) !== BUSY || attemptsLeft === 0) throw error;
      await sleep(50);
    }
  }
}

/**
 * The few methods of better-sqlite3 that Kysely's dialect calls, on `node:sqlite`. A query is prepared once: there are
 * few texts, and preparing one takes longer than running it.
 */
function kyselyDatabase(database: DatabaseSync): SqliteDatabase {
  const statements = new Map<string, PreparedStatement>();
  return {
    close: () => database.close(),
    prepare(sql) {
      const known = statements.get(sql);
      if (known) return known;
      const statement = failingAsUnavailable(() => prepare(database, sql));
      statements.set(sql, statement);
      return statement;
    },
  };
}

type PreparedStatement = ReturnType<SqliteDatabase['prepare']>;

function prepare(database: DatabaseSync, sql: string): PreparedStatement {
  const statement = database.prepare(sql);
  const values = (parameters: readonly unknown[]) => parameters as SQLInputValue[]; // Kysely passes plain values
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => failingAsUnavailable(() => statement.all(...values(parameters))),
    run: (parameters) => failingAsUnavailable(() => statement.run(...values(parameters))),
    iterate: (parameters) => database.prepare(sql).iterate(...values(parameters)), // several may be under way
  };
}

/** Result codes: sqlite.org/rescode.html */
const BUSY = 5;
const READONLY = 8;
const CORRUPT = 11;
const FULL = 13;
const NOTADB = 26;
/** IOERR_SHMSIZE: there was no room for the index of the WAL. */
const NO_ROOM_FOR_INDEX = 4874;
/** Those of trouble with the file and not with the query. */
const TROUBLE = new Set([BUSY, 6, READONLY, 10, CORRUPT, FULL, 14, NOTADB]); // BUSY LOCKED READONLY IOERR CORRUPT FULL CANTOPEN NOTADB

function failingAsUnavailable<T>(action: () => T): T {
  try {
    return action();
  } catch (cause) {
    const code = resultCode(cause);
    if (code !== undefined && TROUBLE.has(code)) throw unavailable({ cause, retryAfterSeconds: 2 });
    throw cause;
  }
}

/** What to do about it at the start, where that is plain. */
function adviceOn(error: unknown): string | undefined {
  if (error instanceof Problem) return adviceOn(error.cause);
  if (isFull(error)) return 'its disk is full, free some space';
  if (error instanceof Error && 'code' in error && error.code === 'EISDIR')
    return 'it is a folder, name a file';
  switch (resultCode(error)) {
    case BUSY:
      return 'another program holds it, end that';
    case READONLY:
      return 'this user may only read it, or its folder';
    case CORRUPT:
      return 'it is damaged, restore it from a backup';
    case NOTADB:
      return 'it is no SQLite database, or was overwritten: name another, or restore it from a backup';
    default:
      return undefined;
  }
}

function isFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('errcode' in error) return error.errcode === FULL || error.errcode === NO_ROOM_FOR_INDEX;
  return 'code' in error && error.code === 'ENOSPC';
}

/** Without the bits of the extended code. */
function resultCode(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : undefined;
}
