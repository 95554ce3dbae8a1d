import { closeSync, existsSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kysely, type SqliteDatabase, SqliteDialect } from 'kysely';
import { codeOf } from '../base/error-code.ts';
import { isGivenToGroup, takeBack } from '../base/private-file.ts';
import { StartupError } from '../base/startup-error.ts';
import { migrate } from './migrations/index.ts';
import { MissingDatabase, migrationRefusal } from './migrations/refusal.ts';
import { sqliteEngine, willRename } from './migrations/sqlite.ts';
import type { Database, OpenOptions, Patience } from './schema.ts';
import { adviceOn, failingAsUnavailable, isBusy } from './sqlite-errors.ts';

/** How long to wait for a lock. The wait stops the whole process, verification too, so a request waits for a moment only. */
const BUSY_TIMEOUT_MS = { brief: 500, patient: 10_000 };

/**
 * Opens, or creates with mode 0600, the SQLite file of a `sqlite:` URL and migrates it.
 * @param path a file, or `:memory:`
 * @throws StartupError, and MissingDatabase where it may not create one
 */
export async function openSqlite(
  path: string,
  { patience, mayCreate }: Pick<Required<OpenOptions>, 'patience' | 'mayCreate'>,
): Promise<Kysely<Database>> {
  const isNew = isMissing(path);
  if (isNew && !mayCreate) throw new MissingDatabase();
  for (let attemptsLeft = 50; ; attemptsLeft--) {
    const database = await openFile(path, isNew);
    const db = await openMigrated(database, { path, patience, isNew, mayCreate }).catch((error: unknown) => {
      if (!(error instanceof InUse) || attemptsLeft === 0) throw error;
    });
    if (db) {
      // Only after it was opened: a file that a typing error named may be another program's.
      for (const file of [path, `${path}-wal`, `${path}-shm`]) if (existsSync(file)) makePrivate(file);
      return db;
    }
    await sleep(20 + Math.random() * 80); // processes that start at once disturb one another until one has the file alone
  }
}

/** A database in a file that nobody else sees. Closing it removes the file. */
export async function openTemporarySqlite(): Promise<Kysely<Database>> {
  const path = 'for temporary use';
  return openMigrated(sqliteOf(''), { path, patience: 'patient', isNew: false, mayCreate: true });
}

/** Another process has the file open, and the tables in it must be renamed. */
class InUse extends StartupError {}

interface Opening {
  path: string;
  patience: Patience;
  isNew: boolean;
  mayCreate: boolean;
}

async function openMigrated(
  database: DatabaseSync,
  { path, patience, isNew, mayCreate }: Opening,
): Promise<Kysely<Database>> {
  const db = new Kysely<Database>({ dialect: new SqliteDialect({ database: kyselyDatabase(database) }) });
  try {
    if (await willRename(db)) haveAlone(database, path);
    // Several processes may start on one file: the first one migrates, the others wait and find it done.
    database.exec('BEGIN IMMEDIATE');
    await migrate(db, sqliteEngine, mayCreate);
    database.exec('COMMIT; PRAGMA locking_mode=NORMAL; PRAGMA journal_mode=WAL');
    database.exec(`PRAGMA busy_timeout=${BUSY_TIMEOUT_MS[patience]}`);
  } catch (cause) {
    if (database.isTransaction) database.exec('ROLLBACK');
    if (isNew) removeEmpty(database, path);
    database.close();
    if (cause instanceof InUse) throw cause;
    throw migrationRefusal(cause, path, adviceOn(cause) ?? "check that it is idcard's and writable");
  }
  return db;
}

/** Locks out other processes until the file is in WAL mode again. @throws InUse */
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

/** Removes the file that a failed start created, unless another process has begun to use it. */
function removeEmpty(database: DatabaseSync, path: string): void {
  try {
    haveAlone(database, path);
    const { tables } = database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() ?? {};
    if (tables === 0) rmSync(path);
  } catch {
    // The file stays: another process uses it, or the disk is in trouble.
  }
}

async function openFile(path: string, isNew: boolean): Promise<DatabaseSync> {
  let database: DatabaseSync | undefined;
  try {
    if (path !== ':memory:') {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      closeSync(openSync(path, 'a', 0o600)); // SQLite itself would create a file that everybody can read
    }
    database = sqliteOf(path);
    await writeAhead(database);
    // FULL: a user whose registration was answered is there after a power cut.
    database.exec('PRAGMA busy_timeout=5000; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON');
    return database;
  } catch (cause) {
    database?.close();
    if (isNew && statSync(path, { throwIfNoEntry: false })?.size === 0) rmSync(path);
    if (cause instanceof StartupError) throw cause;
    const advice =
      adviceOn(cause) ?? 'check its path, and that this user may read and write it and its folder';
    throw new StartupError(`The database ${path} cannot be opened: ${advice}.`, { cause });
  }
}

/** Not a static import: in Node.js 20, which has no `node:sqlite`, that would fail before this sentence. @throws StartupError */
function sqliteOf(path: string): DatabaseSync {
  const sqlite = process.getBuiltinModule('node:sqlite') as typeof import('node:sqlite') | undefined;
  if (!sqlite) throw new StartupError(`SQLite needs Node.js 24 or later and this is ${process.version}.`);
  return new sqlite.DatabaseSync(path);
}

/** Makes the file private, since it holds password hashes. Where that fails, as for a file of another user, it is only told. */
function makePrivate(file: string): void {
  const stats = statSync(file);
  if (process.platform === 'win32' || (stats.mode & 0o077) === 0) return;
  const isPrivate = takeBack(file);
  if (isPrivate && isGivenToGroup(file, stats)) return; // Kubernetes opens the file to the group again at each mount
  const was = `idcard: Other users could read ${file} (mode ${(stats.mode & 0o777).toString(8)})`;
  console.error(
    isPrivate ? `${was}, and can no more.` : `${was}, and still can: its owner has to change that.`,
  );
}

/** Whether there is no such file. Anything else that is wrong with the path is told when the file is opened. */
function isMissing(path: string): boolean {
  try {
    statSync(path);
    return false;
  } catch (error) {
    return codeOf(error) === 'ENOENT';
  }
}

/** Changes to WAL. The change needs the file alone, and SQLite itself does not wait for another process that starts. */
async function writeAhead(database: DatabaseSync): Promise<void> {
  for (let attemptsLeft = 100; ; attemptsLeft--) {
    try {
      database.exec('PRAGMA journal_mode=WAL');
      return;
    } catch (error) {
      if (!isBusy(error) || attemptsLeft === 0) throw error;
      await sleep(50);
    }
  }
}

/**
 * The methods of better-sqlite3 that Kysely's dialect calls, on `node:sqlite`. Each text of a query is prepared once: there are
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
    iterate: (parameters) => database.prepare(sql).iterate(...values(parameters)), // several may run at once
  };
}
