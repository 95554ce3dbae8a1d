import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase } from '../../../src/database/index.ts';
import { decode, type TokenBody } from '../../support/app.ts';
import { newDatabase } from '../../support/postgres.ts';
import {
  type Finished,
  run,
  type ServerProcess,
  startServer,
  temporaryFolder,
} from '../../support/process.ts';

const EMAIL = 'ada@example.com';
const PASSWORD = 'nine quiet rivers of amber';

const folder = temporaryFolder();
const DATA_DIR = join(folder, 'data');
let server: ServerProcess;

beforeAll(async () => {
  server = await startServer({ DATA_DIR, EMAIL_CLAIM: 'on', REVOCATION_POLL_SECONDS: '1' });
  expect((await idcard(['users', 'add', EMAIL], PASSWORD)).code).toBe(0);
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

function idcard(args: string[], input = '', env: Record<string, string> = {}): Promise<Finished> {
  return run(args, { input, env: { DATA_DIR, ...env } });
}

function post(path: string, body: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(server.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
}

async function logIn(): Promise<TokenBody> {
  return (await (await post('/v1/login', { email: EMAIL, password: PASSWORD })).json()) as TokenBody;
}

/** What the directory there says of each user. */
async function verifiedIn(env: Record<string, string> = {}): Promise<unknown[]> {
  const { stdout } = await idcard(['users', 'list', '--json'], '', env);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).email_verified);
}

test('users verify vouches for the address, which is in tokens from the next refresh on, and voids none', async () => {
  const before = await logIn();
  expect(decode(before.access_token)).not.toHaveProperty('email');

  const { code, stdout, stderr } = await idcard(['users', 'verify', EMAIL.toUpperCase()]);
  expect([code, stdout]).toEqual([0, 'ada@example.com is verified.\n']);
  expect(JSON.parse(stderr)).toMatchObject({
    event: 'user.email-verified',
    sub: decode(before.access_token).sub,
  });
  expect(stderr).not.toContain(EMAIL);

  const refreshed = await post('/v1/refresh', { refresh_token: before.refresh_token });
  expect(refreshed.status).toBe(200);
  const { access_token } = (await refreshed.json()) as TokenBody;
  expect(decode(access_token).email).toBe(EMAIL);
  const headers = { authorization: `Bearer ${access_token}` };
  const verified = await fetch(`${server.url}/v1/verify`, { headers });
  expect(verified.headers.get('x-auth-email')).toBe(EMAIL);
  expect(await (await fetch(`${server.url}/v1/me`, { headers })).json()).toMatchObject({
    email_verified: true,
  });
});

test('an export, an import and a move take it along', async () => {
  const users = join(folder, 'users.ndjson');
  expect((await idcard(['users', 'export', '--output', users])).code).toBe(0);
  expect(JSON.parse(readFileSync(users, 'utf8'))).toMatchObject({ email: EMAIL, email_verified: true });

  const imported = { DATABASE_URL: `sqlite:${join(folder, 'imported.sqlite')}` };
  await (await openDatabase(imported.DATABASE_URL)).destroy();
  expect((await idcard(['users', 'import', users], '', imported)).code).toBe(0);
  expect(await verifiedIn(imported)).toEqual([true]);

  const moved = { DATABASE_URL: await newDatabase() };
  expect((await idcard(['db', 'move', '--to', moved.DATABASE_URL])).code).toBe(0);
  expect(await verifiedIn(moved)).toEqual([true]);
  const undone = await idcard(['users', 'verify', '--undo', EMAIL, '--json'], '', moved);
  expect(JSON.parse(undone.stdout)).toMatchObject({ email: EMAIL, email_verified: false });
  expect([await verifiedIn(moved), await verifiedIn()]).toEqual([[false], [true]]);
});

test('--undo takes it back, and with it every token that said so', async () => {
  const { refresh_token } = await logIn();
  const { code, stdout, stderr } = await idcard(['users', 'verify', EMAIL, '--undo']);
  expect([code, stdout]).toEqual([0, 'ada@example.com is not verified.\n']);
  expect(JSON.parse(stderr)).toMatchObject({ event: 'user.email-unverified' });
  expect((await post('/v1/refresh', { refresh_token })).status).toBe(401);
  expect(decode((await logIn()).access_token)).not.toHaveProperty('email');
});

test('there has to be such a user', async () => {
  const { code, stderr } = await idcard(['users', 'verify', 'nobody@example.com']);
  expect([code, stderr]).toEqual([
    1,
    `idcard: There is no user with this email in sqlite:${DATA_DIR}/idcard.sqlite.\n`,
  ]);
  const help = await idcard(['users', 'verify', '--help']);
  expect(help.stdout).toContain('--undo');
});
