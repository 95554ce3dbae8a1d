import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ADA, type TokenBody } from '../support/app.ts';
import { execute, newDatabase } from '../support/postgres.ts';
import { findFreePort, type ServerProcess, startServer, temporaryFolder } from '../support/process.ts';
import {
  findPostgresPrograms,
  type SystemPostgres,
  startSystemPostgres,
} from '../support/system-postgres.ts';

const databaseGuide = readFileSync('docs/operations/database.md', 'utf8');
const faultsGuide = readFileSync('docs/operations/faults.md', 'utf8');
const keysGuide = readFileSync('docs/keys.md', 'utf8');

/** The commands of a section, block by block, without the indentation of a list. */
function commandsOf(section: string, guide = databaseGuide): string[] {
  const body = guide.split(/^##+ /m).find((part) => part.startsWith(`${section}\n`)) ?? '';
  return [...body.matchAll(/```sh\n(.*?)```/gs)].map(([, commands = '']) => commands.replace(/^ {3}/gm, ''));
}

const [backUpKeys = '', backUpSqlite = '', restoreSqlite = '', backUpPostgres = '', restorePostgres = ''] =
  commandsOf('Backup and restore');
const [revokeRefreshSecrets = ''] = commandsOf('After a restore');

/** Each starts a dozen processes. */
const LONG = { timeout: 180_000 };

let folder: string;
let dataDir: string;
/** The same at every start, since it is in the issuer of the tokens. */
let PORT: string;
let server: ServerProcess;

beforeEach(async () => {
  PORT = String(await findFreePort());
  folder = temporaryFolder();
  dataDir = join(folder, 'data');
});
afterEach(async () => {
  await server?.stop('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** Runs commands as they stand, with this test's folders instead of those of a checkout. */
async function runCommands(commands: string, env: Record<string, string> = {}): Promise<string> {
  expect(commands).not.toBe('');
  const here = commands
    .replaceAll(/\b(data|backup|ceremony)\b(?=[/ )])/g, `${folder}/$1`)
    .replaceAll(/\b(database-url|users\.ndjson)\b/g, `${folder}/$1`);
  const child = spawn('bash', ['-ec', here], { env: { PATH: process.env.PATH, DATA_DIR: dataDir, ...env } });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  if (code !== 0) throw new Error(`The commands ended with ${code}: ${stderr}`);
  return stdout;
}

async function start(env: Record<string, string> = {}): Promise<void> {
  server = await startServer({ PORT, DATA_DIR: dataDir, RATE_LIMITS: 'off', ...env });
}

async function post(path: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

async function logIn(email = ADA.email): Promise<TokenBody> {
  const response = await post('/v1/login', { email, password: ADA.password });
  expect(response.status).toBe(200);
  return (await response.json()) as TokenBody;
}

const refreshStatus = async (refresh_token: string) => (await post('/v1/refresh', { refresh_token })).status;
const register = (index: number) =>
  post('/v1/register', { email: `u${index}@example.com`, password: ADA.password });

/** Runs a backup while users register. @returns how many were told that they are, before it began */
async function backUpUnderLoad(backUp: () => Promise<unknown>): Promise<number> {
  const told = 3;
  for (let index = 0; index < told; index++) expect((await register(index)).status).toBe(201);
  let isDone = false;
  const backup = backUp().finally(() => {
    isDone = true;
  });
  for (let index = told; !isDone; index++) expect((await register(index)).status).toBe(201);
  await backup;
  return told;
}

interface Story {
  env: Record<string, string>;
  backUp: () => Promise<unknown>;
  lose: () => Promise<unknown>;
  restore: () => Promise<unknown>;
  /** The settings from then on. */
  restored: Record<string, string>;
}

/** What a backup is for: everything is lost, comes back, and what was void since stays void. */
async function tellStory({ env, backUp, lose, restore, restored }: Story): Promise<void> {
  await start(env);
  expect((await post('/v1/register', ADA)).status).toBe(201);
  const stolen = await logIn();
  const told = await backUpUnderLoad(backUp);
  const authorization = `Bearer ${stolen.access_token}`;
  expect((await post('/v1/logout-everywhere', {}, { authorization })).status).toBe(204);
  expect(await refreshStatus(stolen.refresh_token)).toBe(401);

  await server.stop('SIGKILL');
  await lose();
  await restore();

  await start(restored);
  for (let index = 0; index < told; index++) await logIn(`u${index}@example.com`);
  await logIn();
  expect(await refreshStatus(stolen.refresh_token)).toBe(200); // why there is a section "After a restore"

  await server.stop();
  await runCommands(revokeRefreshSecrets, restored);
  await start(restored);
  expect(await refreshStatus(stolen.refresh_token)).toBe(401);
  expect(await refreshStatus((await logIn()).refresh_token)).toBe(200);
}

describe('the commands of "Backup and restore"', () => {
  test(
    'bring back users and keys from SQLite, backed up while it serves and lost by a crash',
    LONG,
    async () => {
      await tellStory({
        env: {},
        backUp: () => runCommands(backUpKeys + backUpSqlite),
        // The crash leaves a log of changes, which does not fit to the database that is restored.
        lose: async () => {
          expect(globSync(join(dataDir, '*')).some((file) => file.endsWith('-wal'))).toBe(true);
          for (const file of ['idcard.sqlite', 'keys.json']) rmSync(join(dataDir, file));
        },
        restore: () => runCommands(restoreSqlite),
        restored: {},
      });
      const modes = execFileSync('stat', ['-c', '%a', ...globSync(join(folder, 'backup', '*'))], {
        encoding: 'utf8',
      });
      expect(modes).toBe('600\n600\n');
      await expect(runCommands(backUpSqlite)).rejects.toThrow('output file already exists');
    },
  );

  const programs = findPostgresPrograms();

  describe.skipIf(!process.env.CI && !programs)('with the PostgreSQL of the system', () => {
    let postgres: SystemPostgres;

    beforeEach(async () => {
      postgres = await startSystemPostgres(programs ?? '');
      const { port, password } = postgres;
      const url = `postgres://postgres:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`;
      await execute(
        url,
        `CREATE ROLE idcard LOGIN PASSWORD '${password}'`,
        "CREATE DATABASE idcard OWNER idcard TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'",
      );
    });
    afterEach(() => postgres.stop());

    test('bring back users from PostgreSQL', LONG, async () => {
      const { port, password, env } = postgres;
      const urlOf = (name: string) =>
        `postgres://idcard:${encodeURIComponent(password)}@127.0.0.1:${port}/${name}`;
      const clients = { ...env, PATH: [programs, process.env.PATH].join(delimiter) };
      await tellStory({
        env: { DATABASE_URL: urlOf('idcard') },
        backUp: () => runCommands(backUpKeys + backUpPostgres, clients),
        lose: () => execute(urlOf('idcard'), 'DROP TABLE idcard_users CASCADE'),
        restore: () => runCommands(restorePostgres, clients),
        restored: { DATABASE_URL: urlOf('idcard_restored') },
      });
    });
  });
});

test(
  'the commands of "Moving to PostgreSQL" move who can then log in, and export what is then there',
  LONG,
  async () => {
    const [rehearse = '', move = '', exportAndImport = ''] = commandsOf('Moving to PostgreSQL');
    await start();
    expect((await post('/v1/register', ADA)).status).toBe(201);
    await server.stop();
    const env = { DATABASE_URL: await newDatabase() };
    writeFileSync(join(folder, 'database-url'), env.DATABASE_URL, { mode: 0o600 });

    expect(await runCommands(rehearse)).toContain('All 1 users can be moved (1 added');
    expect(await runCommands(move)).toContain('All 1 users are in the target (1 added');
    expect(await runCommands(exportAndImport, env)).toContain('Of 1 users: 0 added, 1 already there');
    await start({ DATABASE_URL_FILE: join(folder, 'database-url') });
    await logIn();
  },
);

test('the commands of docs/keys.md rotate, and revoke the key that leaked', LONG, async () => {
  const [rotateAndList = ''] = commandsOf('Rotating, without losing a token', keysGuide);
  const [revoke = ''] = commandsOf('The day a key leaks', keysGuide);
  await start();
  const [KID = ''] = (await runCommands(rotateAndList)).match(/^\S+(?=\tES256\taccess\tsigning)/m) ?? [];
  expect(KID).not.toBe('');
  await runCommands(revoke, { KID });
  expect(readFileSync(join(dataDir, 'keys.json'), 'utf8')).not.toContain(KID);
});

test('the commands of "The key ceremony" make a key set that a replica then publishes', async () => {
  const [commands = ''] = commandsOf('The key ceremony', keysGuide);
  const printed = await runCommands(commands);
  await start({ KEY_SET_FILE: join(folder, 'ceremony', 'keys.json') });
  const { keys } = (await (await fetch(`${server.url}/.well-known/jwks.json`)).json()) as {
    keys: { kid: string }[];
  };
  expect(printed.split('\t')[0]).toBe(keys[0]?.kid);
});

describe('the tables of "What each alarm means"', () => {
  const [, section = ''] = faultsGuide.split('## What each alarm means');

  test('name each event that is a warning or an error, and no other', () => {
    // The plugin for other services writes into their logs.
    const sources = globSync('src/**/*.ts', { exclude: ['src/verifier/**'] }).map((file) =>
      readFileSync(file, 'utf8'),
    );
    const calls = sources.flatMap(
      (source) => source.match(/\blog(?:ger)?\??\.(?:warn|error|fatal)\(/g) ?? [],
    );
    expect(calls).toEqual([]); // what happens is told to the events
    const catalogue = readFileSync('src/events/events.ts', 'utf8');
    const alarms = [...catalogue.matchAll(/^ {2}'?([a-z.-]+)'?: event<.*?>\('(\w+)'\)/gms)]
      .filter(([, , level]) => level !== 'info')
      .map(([, event, level]) => `${event} ${level}`);
    const told = [...section.matchAll(/^\| `([a-z.-]+)` \| (\w+) \|/gm)].map(
      ([, event, level]) => `${event} ${level}`,
    );
    expect(told.sort()).toEqual(alarms.sort());
  });

  test('name each status of /readyz', () => {
    const source = readFileSync('src/routes/operations/health.ts', 'utf8');
    const [, statuses = ''] = /status: z\.enum\(\[(.*?)\]/.exec(source) ?? [];
    const told = [...section.matchAll(/^\| 200, `"(\w+)"` \|/gm)].map(([, status]) => `'${status}'`);
    expect(told.join(', ')).toBe(statuses);
  });
});
