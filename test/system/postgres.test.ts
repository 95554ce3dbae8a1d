import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { beforeEach } from 'vitest';
import { ADA, addUser, BOB, bearer, logIn, type TestApp } from '../support/app.ts';
import { describe, expect, startIdcard, test } from '../support/idcard.ts';
import { execute, newDatabase } from '../support/postgres.ts';
import { startServer } from '../support/process.ts';

/** Two replicas that share the keys and one PostgreSQL database. */
let url: string;
let here: TestApp;
let there: TestApp;
beforeEach(async () => {
  url = await newDatabase();
  const env = { DATABASE_URL: url, RATE_LIMITS: 'off' };
  here = await startIdcard({ env });
  there = await startIdcard({ env, jwks: here.jwks });
});

async function verify({ get }: TestApp, token: string): Promise<number> {
  return (await get('/v1/verify', bearer(token))).statusCode;
}

test('who registers at one replica logs in, verifies, refreshes and logs out everywhere at another', async () => {
  const registered = await here.post('/v1/register', ADA);
  expect(registered.statusCode).toBe(201);
  expect(registered.json()).toMatchObject({ email: ADA.email, created_at: '2026-11-23T12:00:00.000Z' });

  const { access_token, refresh_token } = await logIn(there);
  expect([await verify(here, access_token), await verify(there, access_token)]).toEqual([200, 200]);
  const refreshed = await here.post('/v1/refresh', { refresh_token });
  expect(refreshed.statusCode).toBe(200);

  const loggedOut = await there.post('/v1/logout-everywhere', undefined, bearer(access_token));
  expect(loggedOut.statusCode).toBe(204);
  expect(await here.post('/v1/refresh', { refresh_token })).toBeProblem('invalid-token');
  await here.app.pollRevocations();
  expect([await verify(here, access_token), await verify(there, access_token)]).toEqual([401, 401]);
  expect(await verify(here, (await logIn(there)).access_token)).toBe(200);
});

test('one email registered a hundred times at once on two replicas is one user', async () => {
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) => (index % 2 ? here : there).post('/v1/register', ADA)),
  );
  const statuses = answers.map(({ statusCode }) => statusCode);
  expect(statuses.filter((status) => status === 201)).toHaveLength(1);
  for (const status of statuses) expect([201, 409, 503]).toContain(status);
  expect(await execute(url, 'SELECT email FROM idcard_users')).toEqual([{ email: ADA.email }]);
});

describe('a revocation that becomes visible late', () => {
  test('is not missed by the polls that looked before', async () => {
    const { id } = await addUser(here);
    const { access_token } = await logIn(here);
    // A row lock holds the change back after it has taken its time, while newer changes pass.
    const holder = new Client(url);
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT id FROM idcard_users WHERE id = $1 FOR UPDATE', [id]);
    const late = here.directory.updateAndVoidTokens(id, {});
    await sleep(100);

    const bob = await addUser(there, BOB);
    for (let poll = 0; poll < 10; poll++) {
      there.time.now += 5;
      await there.directory.updateAndVoidTokens(bob.id, {});
      await there.app.pollRevocations();
    }
    expect(await verify(there, access_token)).toBe(200);

    await holder.query('COMMIT');
    await holder.end();
    expect((await late)?.tokenVersion).toBe(2);
    await there.app.pollRevocations();
    expect(await verify(there, access_token)).toBe(401);
  });
});

describe('what SQLite stores and PostgreSQL might not', () => {
  test.each([
    ['a NUL in the email', { ...ADA, email: 'ada\u0000@example.com' }, 400],
    ['a lone surrogate in the email', { ...ADA, email: 'ada\ud800@example.com' }, 400],
    [
      'an email that grows in lower case',
      { ...ADA, email: `${'İ'.repeat(20)}@${'İ.'.repeat(10)}example` },
      201,
    ],
    ['an email that grows too long', { ...ADA, email: `${'İ'.repeat(32)}@${'İ.'.repeat(100)}example` }, 400],
    ['an email of 254 characters', { ...ADA, email: `ab@${'b.'.repeat(122)}example` }, 201],
    ['a NUL in the password', { ...ADA, password: 'violet\u0000otters play chess' }, 201],
    ['a lone surrogate in the password', { ...ADA, password: 'violet \ud800 otters play' }, 400],
    ['256 bytes of password', { ...ADA, password: 'violet otters '.padEnd(256, 'play chess, ') }, 201],
  ])('is answered alike: %s', async (_what, body, status) => {
    const sqlite = await startIdcard();
    for (const app of [here, sqlite]) {
      expect((await app.post('/v1/register', body)).statusCode).toBe(status);
      expect((await app.post('/v1/login', body)).statusCode).toBe(status === 201 ? 200 : 400);
    }
  });

  test.each(['Ada@Example.com', 'ADA@EXAMPLE.COM', 'ada@example.com'])('%s is one user', async (email) => {
    expect((await here.post('/v1/register', ADA)).statusCode).toBe(201);
    expect((await there.post('/v1/register', { ...ADA, email })).statusCode).toBe(409);
    expect((await there.post('/v1/login', { ...ADA, email })).statusCode).toBe(200);
  });
});

test('the program itself serves from PostgreSQL, by DATABASE_URL', async () => {
  const server = await startServer({ DATABASE_URL: url });
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(BOB) };
  expect((await fetch(`${server.url}/v1/register`, init)).status).toBe(201);
  expect((await fetch(`${server.url}/v1/login`, init)).status).toBe(200);
  expect(await server.stop()).toBe(0);
  expect(await execute(url, 'SELECT email FROM idcard_users')).toEqual([{ email: BOB.email }]);
});
