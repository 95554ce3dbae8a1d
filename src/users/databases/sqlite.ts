import { closeSync, existsSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kysely, type SqliteDatabase, SqliteDialect } from 'kysely';
import { unavailable } from '../../problems/catalogue.ts';
import { Problem } from '../../problems/problem.ts';
import { StartupError } from '../../startup-error.ts';
import { migrate } from '../migrations/index.ts';
import { migrationRefusal } from '../migrations/refusal.ts';
import { sqliteEngine, willRename } from '../migrations/sqlite.ts';
import type { Database, Patience } from './schema.ts';

/**
 * How long to wait for a lock. That stops the whole process, verification too, so a request waits for a moment only.
 */
const BUSY_TIMEOUT_MS = { brief: 500, patient: 10_000 };

/**
 * Opens, or creates with mode 0600, the SQLite file of a `sqlite:` URL and migrates it.
 * @param path a file, or `:memory:`
 * @throws StartupError
 */
export async function openSqlite(path: string, patience: Patience): Promise<Kysely<Database>> {
  const isNew = !existsSync(path);
  for (let attemptsLeft = 50; ; attemptsLeft--) {
    const database = await openFile(path, isNew);
    const db = await openMigrated(database, path, patience, isNew).catch((error: unknown) => {
      if (!(error instanceof InUse) || attemptsLeft === 0) throw error;
    });
    if (db) return db;
    await sleep(20 + Math.random() * 80); // others that start too are in one another's way until one has it alone
  }
}

/** A database in a file that nobody else sees, and that is gone when it is closed. */
export async function openTemporarySqlite(): Promise<Kysely<Database>> {
  return openMigrated(new DatabaseSync(''), 'for temporary use', 'patient', false);
}

/** Somebody else has a file open whose tables are to be renamed. */
class InUse extends StartupError {}

async function openMigrated(
  database: DatabaseSync,
  path: string,
  patience: Patience,
  isNew: boolean,
): Promise<Kysely<Database>> {
  const db = new Kysely<Database>({ dialect: new SqliteDialect({ database: kyselyDatabase(database) }) });
  try {
    if (await willRename(db)) haveAlone(database, path);
    // Several processes may start on one file: the first one migrates, the others wait and find it done.
    database.exec('BEGIN IMMEDIATE');
    await migrate(db, sqliteEngine);
    database.exec(`COMMIT; PRAGMA locking_mode=NORMAL; PRAGMA journal_mode=WAL`);
    database.exec(`PRAGMA busy_timeout=${BUSY_TIMEOUT_MS[patience]}`);
  } catch (cause) {
    if (database.isTransaction) database.exec('ROLLBACK');
    if (isNew) removeEmpty(database, path);
    database.close();
    if (cause instanceof InUse) throw cause;
    throw migrationRefusal(
      cause,
      path,
      isFull(cause) ? FREE_SPACE : "check that it is idcard's and writable",
    );
  }
  return db;
}

/** Until it is in WAL again. @throws InUse */
function haveAlone(database: DatabaseSync, path: string): void {
  try {
    database.exec('PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=DELETE');
  } catch (cause) {
    throw new InUse(
      `The database ${path} is in use, maybe by an idcard of an earlier version, and its tables get other names: stop that one, and start again.`,
      { cause },
    );
  }
}

/** A start that failed leaves nothing behind; but another one may have begun to use what this one created. */
function removeEmpty(database: DatabaseSync, path: string): void {
  try {
    haveAlone(database, path);
    const { tables } = database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() ?? {};
    if (tables === 0) rmSync(path);
  } catch {
    // It stays: it is another's, or the disk is in trouble.
  }
}

async function openFile(path: string, isNew: boolean): Promise<DatabaseSync> {
  try {
    if (path !== ':memory:') {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      closeSync(openSync(path, 'a', 0o600)); // SQLite itself would create it readable by all
    }
    const database = new DatabaseSync(path);
    await writeAhead(database);
    // FULL: a user who was told "201" is there after a power cut.
    database.exec('PRAGMA busy_timeout=5000; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON');
    return database;
  } catch (cause) {
    if (isNew && statSync(path, { throwIfNoEntry: false })?.size === 0) rmSync(path);
    const advice = isFull(cause) ? FREE_SPACE : 'check that DATA_DIR is a folder this user can write to';
    throw new StartupError(`The database ${path} cannot be opened: ${advice}.`, { cause });
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

const FREE_SPACE = 'its disk is full, free some space';

/** Result codes: sqlite.org/rescode.html */
const BUSY = 5;
const FULL = 13;
/** IOERR_SHMSIZE: there was no room for the index of the WAL. */
const NO_ROOM_FOR_INDEX = 4874;
/** Those of trouble with the file and not with the query. */
const TROUBLE = new Set([BUSY, 6, 8, 10, 11, FULL, 14, 26]); // BUSY LOCKED READONLY IOERR CORRUPT FULL CANTOPEN NOTADB

function failingAsUnavailable<T>(action: () => T): T {
  try {
    return action();
  } catch (cause) {
    const code = resultCode(cause);
    if (code !== undefined && TROUBLE.has(code)) throw unavailable({ cause, retryAfterSeconds: 2 });
    throw cause;
  }
}

function isFull(error: unknown): boolean {
  if (error instanceof Problem) return isFull(error.cause);
  if (!(error instanceof Error)) return false;
  if ('errcode' in error) return error.errcode === FULL || error.errcode === NO_ROOM_FOR_INDEX;
  return 'code' in error && error.code === 'ENOSPC';
}

/** Without the bits of the extended code. */
function resultCode(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : undefined;
}
