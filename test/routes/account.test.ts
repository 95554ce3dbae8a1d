import { ADA, BOB, bearer, decode, logIn, type TestApp } from '../support/app.ts';
import { describe, expect, startIdcard, test } from '../support/idcard.ts';

test('registering answers with the user and not with anything secret', async ({ idcard }) => {
  const response = await idcard.post('/v1/register', BOB);
  expect(response.statusCode).toBe(201);
  expect(response.json()).toEqual({
    id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
    email: BOB.email,
    email_verified: false,
    roles: [],
    created_at: '2026-11-23T12:00:00.000Z',
  });
});

test('one email registers once, in whatever case or composition it is written', async ({ idcard }) => {
  const spellings = ['jos\u00e9@example.com', 'jose\u0301@example.com', 'JOS\u00c9@EXAMPLE.COM'];
  const codes: number[] = [];
  for (const email of spellings) {
    const body = { email, password: BOB.password };
    codes.push((await idcard.post('/v1/register', body)).statusCode);
  }
  expect(codes).toEqual([201, 409, 409]);
});

test('100 registrations of one email at once give one user', async () => {
  const unlimited = await startIdcard({ env: { RATE_LIMITS: 'off', PASSWORD_QUEUE_SECONDS: '60' } });
  const register = () => unlimited.post('/v1/register', BOB);
  const answers = await Promise.all(Array.from({ length: 100 }, register));
  const count = (code: number) => answers.filter(({ statusCode }) => statusCode === code).length;
  expect([count(201), count(409)]).toEqual([1, 99]);
});

test('registering cannot give oneself a role', async ({ idcard }) => {
  const body = { ...BOB, roles: ['admin'] };
  const response = await idcard.post('/v1/register', body);
  expect(response.statusCode).toBe(400);
  expect(response.json().errors).toMatchObject([
    { pointer: '#/roles', detail: expect.stringMatching(/^There is no such field; /) },
  ]);
});

describe('GET /v1/me', () => {
  test('answers with the user', async ({ idcard, ada, tokens }) => {
    const response = await idcard.get('/v1/me', bearer(tokens.access_token));
    expect(response.json()).toMatchObject({ id: ada.id, email: ADA.email, email_verified: false, roles: [] });
  });

  test('refuses a token that was revoked, since it reads the user anyway', async ({
    idcard,
    ada,
    tokens,
  }) => {
    await idcard.directory.updateAndVoidTokens(ada.id, {});
    expect(await idcard.get('/v1/me', bearer(tokens.access_token))).toBeProblem('invalid-token');
  });
});

describe('logging out', () => {
  test('clears both cookies, and needs no valid token', async ({ idcard }) => {
    for (const headers of [{}, { cookie: 'access=nonsense' }]) {
      const response = await idcard.post('/v1/logout', undefined, headers);
      expect(response.statusCode).toBe(204);
      expect(response.cookies).toMatchObject([
        { name: 'access', value: '', maxAge: 0, path: '/', httpOnly: true },
        { name: 'refresh', value: '', maxAge: 0, path: '/', httpOnly: true },
      ]);
    }
  });

  test('everywhere clears the cookies of the client that asked', async ({ idcard, cookie }) => {
    const response = await idcard.post('/v1/logout-everywhere', undefined, { cookie });
    expect(response.statusCode).toBe(204);
    expect(response.cookies.map(({ maxAge }) => maxAge)).toEqual([0, 0]);
  });

  test('everywhere by bearer sets no cookie', async ({ idcard, tokens }) => {
    const response = await idcard.post('/v1/logout-everywhere', undefined, bearer(tokens.access_token));
    expect(response.statusCode).toBe(204);
    expect(response.cookies).toEqual([]);
  });
});

describe('changing the password', () => {
  const change = ({ put }: TestApp, headers: Record<string, string>, current_password = ADA.password) =>
    put('/v1/me/password', { current_password, new_password: BOB.password }, headers);

  test('answers with a new pair of a new login, under the next token version', async ({ idcard, tokens }) => {
    idcard.time.now += 60;
    const response = await change(idcard, bearer(tokens.access_token));
    expect(response.statusCode).toBe(200);
    expect(decode(response.json().access_token)).toMatchObject({ ver: 2, auth_time: idcard.time.now });
    expect(decode(response.json().refresh_token).sid).not.toBe(decode(tokens.refresh_token).sid);
    expect(await logIn(idcard, { email: ADA.email, password: BOB.password })).toHaveProperty('access_token');
  });

  test('by cookie answers with cookies', async ({ idcard, cookie }) => {
    const response = await change(idcard, { cookie });
    expect(response.statusCode).toBe(204);
    expect(response.cookies.map(({ name }) => name)).toEqual(['access', 'refresh']);
  });

  test('with a wrong current password changes nothing', async ({ idcard, tokens }) => {
    const response = await change(idcard, bearer(tokens.access_token), 'not the password at all');
    expect(response).toBeProblem('wrong-password');
    expect(await logIn(idcard)).toHaveProperty('access_token');
  });

  test('with a token that was revoked is refused', async ({ idcard, ada, tokens }) => {
    await idcard.directory.updateAndVoidTokens(ada.id, {});
    expect(await change(idcard, bearer(tokens.access_token))).toBeProblem('invalid-token');
  });
});
