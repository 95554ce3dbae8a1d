import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  ADA,
  addUser,
  BOB,
  bearer,
  createTestApp,
  decode,
  logIn,
  logInWithCookies,
  type TestApp,
} from '../support/app.ts';

let idcard: TestApp;
let userId: string;

beforeEach(async () => {
  idcard = await createTestApp();
  ({ id: userId } = await addUser(idcard));
});
afterEach(() => idcard.close());

test('registering answers with the user and not with anything secret', async () => {
  const response = await idcard.app.inject({ method: 'POST', url: '/v1/register', body: BOB });
  expect(response.statusCode).toBe(201);
  expect(response.json()).toEqual({
    id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
    email: BOB.email,
    email_verified: false,
    roles: [],
    created_at: '2026-11-23T12:00:00.000Z',
  });
});

test('one email registers once, in whatever case or composition it is written', async () => {
  const spellings = ['jos\u00e9@example.com', 'jose\u0301@example.com', 'JOS\u00c9@EXAMPLE.COM'];
  const codes: number[] = [];
  for (const email of spellings) {
    const body = { email, password: BOB.password };
    codes.push((await idcard.app.inject({ method: 'POST', url: '/v1/register', body })).statusCode);
  }
  expect(codes).toEqual([201, 409, 409]);
});

test('100 registrations of one email at once give one user', async () => {
  const unlimited = await createTestApp({ env: { RATE_LIMITS: 'off', PASSWORD_QUEUE_SECONDS: '60' } });
  const register = () => unlimited.app.inject({ method: 'POST', url: '/v1/register', body: BOB });
  const answers = await Promise.all(Array.from({ length: 100 }, register));
  const count = (code: number) => answers.filter(({ statusCode }) => statusCode === code).length;
  expect([count(201), count(409)]).toEqual([1, 99]);
  await unlimited.close();
});

test('registering cannot give oneself a role', async () => {
  const body = { ...BOB, roles: ['admin'] };
  const response = await idcard.app.inject({ method: 'POST', url: '/v1/register', body });
  expect(response.statusCode).toBe(400);
  expect(response.json().errors).toMatchObject([
    { pointer: '#/roles', detail: expect.stringMatching(/^There is no such field; /) },
  ]);
});

describe('GET /v1/me', () => {
  test('answers with the user', async () => {
    const { access_token } = await logIn(idcard);
    const response = await idcard.app.inject({ url: '/v1/me', headers: bearer(access_token) });
    expect(response.json()).toMatchObject({ id: userId, email: ADA.email, email_verified: false, roles: [] });
  });

  test('refuses a token that was revoked, since it reads the user anyway', async () => {
    const { access_token } = await logIn(idcard);
    await idcard.directory.updateAndVoidTokens(userId, {});
    const response = await idcard.app.inject({ url: '/v1/me', headers: bearer(access_token) });
    expect(response.statusCode).toBe(401);
  });
});

describe('logging out', () => {
  test('clears both cookies, and needs no valid token', async () => {
    for (const headers of [{}, { cookie: 'access=nonsense' }]) {
      const response = await idcard.app.inject({ method: 'POST', url: '/v1/logout', headers });
      expect(response.statusCode).toBe(204);
      expect(response.cookies).toMatchObject([
        { name: 'access', value: '', maxAge: 0, path: '/', httpOnly: true },
        { name: 'refresh', value: '', maxAge: 0, path: '/', httpOnly: true },
      ]);
    }
  });

  test('everywhere clears the cookies of the client that asked', async () => {
    const cookie = await logInWithCookies(idcard);
    const response = await idcard.app.inject({
      method: 'POST',
      url: '/v1/logout-everywhere',
      headers: { cookie },
    });
    expect(response.statusCode).toBe(204);
    expect(response.cookies.map(({ maxAge }) => maxAge)).toEqual([0, 0]);
  });

  test('everywhere by bearer sets no cookie', async () => {
    const { access_token } = await logIn(idcard);
    const headers = bearer(access_token);
    const response = await idcard.app.inject({ method: 'POST', url: '/v1/logout-everywhere', headers });
    expect(response.statusCode).toBe(204);
    expect(response.cookies).toEqual([]);
  });
});

describe('changing the password', () => {
  const change = (headers: Record<string, string>, current_password = ADA.password) =>
    idcard.app.inject({
      method: 'PUT',
      url: '/v1/me/password',
      headers,
      body: { current_password, new_password: BOB.password },
    });

  test('answers with a new pair of a new login, under the next token version', async () => {
    const { access_token, refresh_token } = await logIn(idcard);
    idcard.time.now += 60;
    const response = await change(bearer(access_token));
    expect(response.statusCode).toBe(200);
    expect(decode(response.json().access_token)).toMatchObject({ ver: 2, auth_time: idcard.time.now });
    expect(decode(response.json().refresh_token).sid).not.toBe(decode(refresh_token).sid);
    expect(await logIn(idcard, { email: ADA.email, password: BOB.password })).toHaveProperty('access_token');
  });

  test('by cookie answers with cookies', async () => {
    const cookie = await logInWithCookies(idcard);
    const response = await change({ cookie });
    expect(response.statusCode).toBe(204);
    expect(response.cookies.map(({ name }) => name)).toEqual(['access', 'refresh']);
  });

  test('with a wrong current password changes nothing', async () => {
    const { access_token } = await logIn(idcard);
    const response = await change(bearer(access_token), 'not the password at all');
    expect(response.statusCode).toBe(403);
    expect(response.json().type).toBe('urn:idcard:problem:wrong-password');
    expect(await logIn(idcard)).toHaveProperty('access_token');
  });

  test('with a token that was revoked is refused', async () => {
    const { access_token } = await logIn(idcard);
    await idcard.directory.updateAndVoidTokens(userId, {});
    expect((await change(bearer(access_token))).statusCode).toBe(401);
  });
});
