import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { buildApp } from '../../../src/app.ts';
import { runProgram } from '../../../src/cli/program.ts';
import { readConfig } from '../../../src/config/config.ts';
import { databaseName, openDatabase } from '../../../src/database/index.ts';
import { ADA } from '../../support/app.ts';
import { execute, newDatabase } from '../../support/postgres.ts';
import { temporaryFolder } from '../../support/process.ts';
import { refusal } from '../../support/refusal.ts';

const root = temporaryFolder();
afterAll(() => rmSync(root, { recursive: true, force: true }));

let number = 0;
/** The settings of a server, or of a shell, that has nothing yet. */
const newEnv = (env: Record<string, string> = {}) => ({
  DATA_DIR: join(root, String(number++)),
  LOG_LEVEL: 'silent',
  ...env,
});

const idcard = (env: Record<string, string>, ...args: string[]) =>
  runProgram(['node', 'idcard', ...args], env);

const USERS = [
  ['add', ADA.email],
  ['delete', ADA.email],
  ['disable', ADA.email],
  ['enable', ADA.email],
  ['export'],
  ['import', '-'],
  ['import', '-', '--dry-run'],
  ['list'],
  ['set-password', ADA.email],
  ['set-roles', ADA.email, 'admin'],
  ['verify', ADA.email],
].map((args) => ['users', ...args]);
const COMMANDS = [...USERS, ['db', 'move', '--to', `sqlite:${join(root, 'target.sqlite')}`]];

describe('no command makes what is not there:', () => {
  let empty: string;
  beforeAll(async () => {
    empty = await newDatabase();
  });

  test.each(COMMANDS)('%s %s', async (...args) => {
    const env = newEnv();
    const here = `There is no database of idcard at sqlite:${env.DATA_DIR}/idcard.sqlite: start the server first, or set DATA_DIR or DATABASE_URL to the server's.`;
    expect(await refusal(idcard(env, ...args))).toBe(here);
    expect(existsSync(env.DATA_DIR)).toBe(false);

    mkdirSync(env.DATA_DIR);
    writeFileSync(join(env.DATA_DIR, 'idcard.sqlite'), '', { mode: 0o600 }); // and no tables
    expect(await refusal(idcard(env, ...args))).toBe(here);

    const memory = { ...env, DATABASE_URL: 'sqlite::memory:' };
    expect(await refusal(idcard(memory, ...args))).toMatch(
      /^There is no database of idcard at sqlite::memory:/,
    );

    const { port, hostname, pathname } = new URL(empty);
    expect(await refusal(idcard({ ...env, DATABASE_URL: empty }, ...args))).toContain(
      `There is no database of idcard at postgres://${hostname}:${port}${pathname}: start the server first`,
    );
    expect(existsSync(join(root, 'target.sqlite'))).toBe(false);
  });

  test('in PostgreSQL no table', async () => {
    expect(await execute(empty, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).toEqual([]);
  });

  test.each([
    ['list', []],
    ['rotate', []],
    ['revoke', ['kid']],
  ] as const)('keys %s', async (command, args) => {
    const env = newEnv();
    const message = await refusal(idcard(env, 'keys', command, ...args));
    expect(message).toMatch(
      /^There is no key file \/.+keys\.json: set DATA_DIR or KEY_SET_FILE to the server's/,
    );
    expect(existsSync(env.DATA_DIR)).toBe(false);
  });
});

describe('the name of a database', () => {
  test.each([
    [
      'postgres://ada:s3cret@db.example.com:5432/idcard?sslmode=require',
      'postgres://db.example.com:5432/idcard',
    ],
    ['postgresql://ada:s3c@ret@db/idcard', 'postgresql://db/idcard'],
    ['postgres:///idcard?host=/run/postgresql&password=s3cret', 'postgres:///idcard?host=/run/postgresql'],
    [
      'postgres://ada@/?user=eve&host=db&port=6432&dbname=idcard&options=-c%20search_path%3Dlogin',
      'postgres:///?host=db&port=6432&dbname=idcard&options=-c%20search_path%3Dlogin',
    ],
    ['postgres://ada@a:1,b:2/idcard?x=y@s3cret', 'postgres://a:1,b:2/idcard'],
    ['sqlite:/srv/data/idcard.sqlite', 'sqlite:/srv/data/idcard.sqlite'],
    ['sqlite:data/idcard.sqlite', `sqlite:${process.cwd()}/data/idcard.sqlite`],
  ])('of %s says where it is, and no password', (url, name) => {
    expect(databaseName(url)).toBe(name);
  });
});

describe.each(['SQLite', 'PostgreSQL'] as const)('a server on %s', (database) => {
  async function serverEnv() {
    return newEnv(database === 'SQLite' ? {} : { DATABASE_URL: await newDatabase() });
  }

  async function start(env: Record<string, string>): Promise<void> {
    await (await buildApp(readConfig(env))).close();
  }

  async function register(env: Record<string, string>): Promise<void> {
    const app = await buildApp(readConfig(env));
    const { statusCode } = await app.inject({ method: 'POST', url: '/v1/register', body: ADA });
    await app.close();
    expect(statusCode).toBe(201);
  }

  test('makes both where it finds neither, and takes keys alone, or a database without users', async () => {
    const env = await serverEnv();
    await start(env);
    rmSync(join(env.DATA_DIR, 'keys.json'));
    await start(env); // nobody could lose a login
    expect(readdirSync(env.DATA_DIR)).toContain('keys.json');

    const ceremony = await serverEnv();
    vi.spyOn(console, 'log').mockReturnValueOnce();
    await idcard(ceremony, 'keys', 'create');
    await start(ceremony);
  });

  test('refuses users without their keys, whatever lost them, and makes none', async () => {
    const env = await serverEnv();
    await register(env);
    const typo = { ...env, KEY_SET_FILE: join(env.DATA_DIR, 'kyes.json') };
    const message = await refusal(start(typo));
    expect(message).toContain(`There is no key file ${typo.KEY_SET_FILE}, but there are users in `);
    expect(message).toContain('restore the file, or name it in KEY_SET_FILE');
    expect(readdirSync(env.DATA_DIR)).not.toContain('kyes.json');
    await start(env);

    rmSync(join(env.DATA_DIR, 'keys.json'));
    expect(await refusal(start(env))).toContain('"idcard keys create" makes new keys');
    vi.spyOn(console, 'log').mockReturnValueOnce();
    await idcard(env, 'keys', 'create');
    await start(env);
  });

  test('with a directory of its own makes keys as before', async () => {
    const env = await serverEnv();
    const users = { raisedSince: async () => [], close: async () => undefined };
    const app = await buildApp(readConfig(env), { directory: users as never });
    expect(readdirSync(env.DATA_DIR)).toEqual(['keys.json']);
    await app.close();
  });
});

describe('a key file that is no good is named, with what to do:', () => {
  test.each<[what: string, make: (path: string) => void, sentence: RegExp]>([
    [
      'cut off',
      (path) => writeFileSync(path, '{"keys":[{"kty":"oct","k":"s3cret'),
      /is not a private JWK Set .+: restore it .+ If there is none, take it away, and "idcard keys create"/,
    ],
    ['empty', (path) => writeFileSync(path, ''), /is not a private JWK Set .+: restore it/],
    ['other bytes', (path) => writeFileSync(path, Buffer.alloc(999, 0xfe)), /is not a private JWK Set/],
    [
      'of another kind',
      (path) => writeFileSync(path, '{"keys":[{"kty":"dir"}]}'),
      /is not a private JWK Set/,
    ],
    [
      'without keys',
      (path) => writeFileSync(path, '{"keys":[]}'),
      /has no key for access tokens: run "idcard keys rotate"/,
    ],
    ['a folder', (path) => mkdirSync(path), /is no file: name one in KEY_SET_FILE/],
  ])('%s', async (_what, make, sentence) => {
    const env = newEnv();
    const path = join(env.DATA_DIR, 'keys.json');
    mkdirSync(env.DATA_DIR);
    make(path);
    chmodSync(path, 0o600);
    for (const action of [buildApp(readConfig(env)), idcard(env, 'keys', 'list')]) {
      const message = await refusal(action);
      expect(message).toContain(path);
      expect(message).toMatch(sentence);
      expect(message).not.toContain('s3cret');
    }
    expect(readdirSync(env.DATA_DIR)).toEqual(['keys.json']); // the start has made no database
    // No rotation is advised of what cannot be rotated.
    const isKeySet = sentence.source.includes('rotate');
    expect(await refusal(idcard(env, 'keys', 'create'))).toMatch(isKeySet ? /already: .+rotate/ : sentence);
  });
});

test('an app that cannot be built closes the database that it has opened', async () => {
  const env = newEnv();
  await expect(buildApp(readConfig(env), { customClaims: () => ({ sub: 'x' }) })).rejects.toThrow('sub');
  const db = await openDatabase(`sqlite:${env.DATA_DIR}/idcard.sqlite`);
  await db.destroy();
  expect(readdirSync(env.DATA_DIR).sort()).toEqual(['idcard.sqlite', 'keys.json']); // the last one that closes it removes the log
});
