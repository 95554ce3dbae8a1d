import { randomBytes } from 'node:crypto';
import { linkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../../src/database/index.ts';
import { countUsers, createManyUsers, eventually } from '../../support/many-users.ts';
import { execute, newDatabase, PASSWORD as SERVER_PASSWORD } from '../../support/postgres.ts';
import {
  type Finished,
  findFreePort,
  launch,
  run,
  type ServerProcess,
  startServer,
  temporaryFolder,
} from '../../support/process.ts';

const PASSWORD = 'violet otters play chess';

const folder = temporaryFolder();
const path = (name: string) => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true }));

function idcard(DATABASE_URL: string, ...args: string[]): Promise<Finished> {
  return run(args, { env: { DATABASE_URL, DATA_DIR: folder } });
}

interface Tokens {
  access_token: string;
  refresh_token: string;
}

function client({ url }: Pick<ServerProcess, 'url'>) {
  const post = (at: string, body: Record<string, unknown>, headers: Record<string, string> = {}) =>
    fetch(`${url}${at}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  return {
    register: async (email: string) => (await post('/v1/register', { email, password: PASSWORD })).status,
    logIn: (email: string) => post('/v1/login', { email, password: PASSWORD }),
    async tokens(email: string): Promise<Tokens> {
      return (await (await post('/v1/login', { email, password: PASSWORD })).json()) as Tokens;
    },
    verify: async (token: string) => (await fetch(`${url}/v1/verify`, { headers: bearer(token) })).status,
    refresh: async (refresh_token: string) => (await post('/v1/refresh', { refresh_token })).status,
    logOutEverywhere: async (token: string) =>
      (await fetch(`${url}/v1/logout-everywhere`, { method: 'POST', headers: bearer(token) })).status,
  };
}

test('who registered on SQLite goes on with tokens and password on PostgreSQL, and back on SQLite', async () => {
  const port = String(await findFreePort());
  const settings = { DATA_DIR: path('home'), PORT: port, PUBLIC_URL: `http://127.0.0.1:${port}` };
  const sqlite = `sqlite:${path('home/idcard.sqlite')}`;
  let server = await startServer(settings);
  const before = client(server);
  const tokens: Record<string, Tokens> = {};
  for (const name of ['ada', 'revoked', 'banned', 'deleted']) {
    expect(await before.register(`${name}@example.com`)).toBe(201);
    tokens[name] = await before.tokens(`${name}@example.com`);
  }
  expect(await before.logOutEverywhere(tokens.revoked?.access_token ?? '')).toBe(204);
  expect((await idcard(sqlite, 'users', 'disable', 'banned@example.com')).code).toBe(0);
  expect((await idcard(sqlite, 'users', 'delete', 'deleted@example.com')).code).toBe(0);
  expect(await server.stop()).toBe(0);

  const postgres = await newDatabase();
  const back = `sqlite:${path('back.sqlite')}`;
  for (const [from, to] of [
    [sqlite, postgres],
    [postgres, back],
  ] as const) {
    writeFileSync(path('target-url'), `${to}\n`, { mode: 0o600 });
    const { code, stdout, stderr } = await idcard(from, 'db', 'move', '--to-file', path('target-url'));
    expect(code).toBe(0);
    expect(stdout).toBe(
      'All 4 users are in the target (4 added, 0 already there), each compared. Set DATABASE_URL to it, and start idcard.\n',
    );
    expect(JSON.parse(stderr)).toMatchObject({ event: 'users.moved', users: 4, added: 4 });

    server = await startServer({ ...settings, DATABASE_URL: to });
    const after = client(server);
    expect(await after.verify(tokens.ada?.access_token ?? '')).toBe(200);
    expect(await after.refresh(tokens.ada?.refresh_token ?? '')).toBe(200);
    expect((await after.logIn('ada@example.com')).status).toBe(200);
    for (const name of ['revoked', 'banned', 'deleted']) {
      expect(await after.verify(tokens[name]?.access_token ?? '')).toBe(401);
      expect(await after.refresh(tokens[name]?.refresh_token ?? '')).toBe(401);
    }
    expect((await after.logIn('revoked@example.com')).status).toBe(200);
    expect((await after.logIn('banned@example.com')).status).toBe(401);
    expect(await server.stop()).toBe(0);
  }
});

describe.each(['SQLite', 'PostgreSQL'])('a server that runs on %s during a move', (database) => {
  test('answers 503 to what would change a user, serves the rest, and loses nothing', async () => {
    const source = database === 'SQLite' ? `sqlite:${path('busy.sqlite')}` : await newDatabase();
    const target = await newDatabase();
    await (await openDatabase(target)).destroy();
    const server = await startServer({ DATABASE_URL: source, RATE_LIMITS: 'off' });
    const { register, tokens, logIn, verify, refresh } = client(server);
    await register('ada@example.com');
    const { access_token, refresh_token } = await tokens('ada@example.com');

    // A lock in the target holds the move up in its middle.
    const holder = new Client(target);
    await holder.connect();
    await holder.query('BEGIN; LOCK TABLE idcard_users IN SHARE MODE');
    const { finished } = launch(['db', 'move', '--to', target], { env: { DATABASE_URL: source } });
    const registered = ['ada@example.com'];
    let status = 201;
    await eventually(async () => {
      const email = `${randomBytes(8).toString('hex')}@example.com`;
      status = await register(email);
      if (status === 201) registered.push(email);
      return status !== 201;
    });
    expect(status).toBe(503);
    expect((await logIn('ada@example.com')).status).toBe(200);
    expect([await verify(access_token), await refresh(refresh_token)]).toEqual([200, 200]);

    await holder.query('COMMIT');
    await holder.end();
    expect(await finished).toMatchObject({ code: 0 });
    const there = await execute(target, 'SELECT email FROM idcard_users');
    expect(there.map(({ email }) => email).sort()).toEqual(registered.sort());
    expect(await register('later@example.com')).toBe(201);
    await server.stop();
  });
});

describe('what cannot be moved is one sentence, and changes nothing:', () => {
  let few: string;
  let postgres: string;
  beforeAll(async () => {
    await createManyUsers(path('few.sqlite'), 20);
    few = `sqlite:${path('few.sqlite')}`;
    postgres = await newDatabase();
    expect((await idcard(few, 'db', 'move', '--to', postgres)).code).toBe(0);
  });

  async function expectRefusal(from: string, to: string, sentence: string): Promise<void> {
    const { code, stdout, stderr } = await idcard(from, 'db', 'move', '--to', to);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^idcard: [^\n]+\.\n$/);
    expect(stderr).toContain(sentence);
    expect(stderr).not.toContain(SERVER_PASSWORD);
    expect(stderr).not.toContain(encodeURIComponent(SERVER_PASSWORD));
  }

  test('a database to itself, by whatever name', async () => {
    linkSync(path('few.sqlite'), path('link.sqlite'));
    const itself = 'The target is the configured database itself.';
    await expectRefusal(few, few, itself);
    await expectRefusal(few, `sqlite:${path('link.sqlite')}`, itself);
    await expectRefusal(postgres, postgres.replace('127.0.0.1', 'localhost'), itself);
    rmSync(path('link.sqlite'));
  });

  test('to where other users are', async () => {
    const [id] = await execute(postgres, 'SELECT id FROM idcard_users ORDER BY id OFFSET 3 LIMIT 1');
    for (const change of ['token_version = token_version + 1', `email = 'other@example.com'`]) {
      const changed = await newDatabase();
      expect((await idcard(few, 'db', 'move', '--to', changed)).code).toBe(0);
      await execute(
        changed,
        `UPDATE idcard_users SET ${change} WHERE id = '${id?.id}'; DELETE FROM idcard_users WHERE email LIKE 'üser19%'`,
      );
      const before = await execute(changed, 'SELECT * FROM idcard_users ORDER BY id');
      await expectRefusal(few, changed, `or has otherwise (${id?.id}), and nothing was changed`);
      expect(await execute(changed, 'SELECT * FROM idcard_users ORDER BY id')).toEqual(before);
    }
    const more = `sqlite:${path('more.sqlite')}`;
    await createManyUsers(path('more.sqlite'), 21);
    await expectRefusal(few, more, 'The target has a user whom the source has not');
  });

  test('a database that is not there, which is not created', async () => {
    await expectRefusal(`sqlite:${path('absent.sqlite')}`, postgres, 'There is no database');
    await expectRefusal(`sqlite:${path('absent.sqlite')}`, postgres, 'set DATA_DIR or DATABASE_URL');
  });

  test('to a URL that is no good', async () => {
    await expectRefusal(few, 'sqlite::memory:', 'The target is a database in memory');
    await expectRefusal(few, 'mysql://host/name', '--to must start with "sqlite:"');
    await expectRefusal(
      few,
      'postgres://u:secret@db.example.com/x',
      '--to must say how the connection is protected',
    );
    await expectRefusal(few, 'postgres://u:violet%20otters@127.0.0.1:1/x', 'cannot be reached');
  });

  test('what PostgreSQL cannot hold', async () => {
    await createManyUsers(path('nul.sqlite'), 5);
    const database = new DatabaseSync(path('nul.sqlite'));
    database.exec("UPDATE idcard_users SET email = 'a' || char(0) || 'b' WHERE email = 'üser2@example.com'");
    database.close();
    const target = await newDatabase();
    await expectRefusal(
      `sqlite:${path('nul.sqlite')}`,
      target,
      'The target cannot hold a user from 01980520-0000',
    );
    expect(await execute(target, 'SELECT id FROM idcard_users')).toEqual([]);
  });

  test('without a target, or with two', async () => {
    for (const args of [[], ['--to', few, '--to-file', path('few.sqlite')]]) {
      const { code, stdout } = await idcard(few, 'db', 'move', ...args);
      expect([code, stdout]).toEqual([2, '']);
    }
  });
});

test('a password hash that asks for too much is named, and moved like any other', async () => {
  const dear = `$argon2id$v=19$m=1048576,t=16,p=1$${'A'.repeat(22)}$${'B'.repeat(43)}`;
  await createManyUsers(path('dear.sqlite'), 3, [dear]);
  const [source, target] = [`sqlite:${path('dear.sqlite')}`, `sqlite:${path('dear-target.sqlite')}`];
  for (const args of [['--dry-run'], []]) {
    const { code, stdout, stderr } = await idcard(source, 'db', 'move', '--to', target, ...args);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^All 3 users/);
    expect(stderr).toMatch(
      /^idcard: the password hash of [0-9a-f-]{36} asks for 1048576 KiB, more than 8 × ARGON2_MEMORY_KIB \(155648\): moved, but no password is right\.\n/,
    );
  }
  expect((await idcard(target, 'users', 'export')).stdout).toContain(dear);
});

test('a dry run tells what would be moved, and writes no user', async () => {
  await createManyUsers(path('dry.sqlite'), 1500);
  const target = `sqlite:${path('dry-target.sqlite')}`;
  const { code, stdout, stderr } = await idcard(
    `sqlite:${path('dry.sqlite')}`,
    'db',
    'move',
    '--to',
    target,
    '--dry-run',
  );
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toBe('All 1500 users can be moved (1500 added, 0 already there). No user was written.\n');
  expect(countUsers(path('dry-target.sqlite'))).toBe(0);
});
