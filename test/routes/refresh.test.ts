import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  ADA,
  addUser,
  bearer,
  createTestApp,
  decode,
  logIn,
  logInWithCookies,
  START,
  type TestApp,
  type TokenBody,
} from '../support/app.ts';

const DAY = 86_400;
let idcard: TestApp;
let userId: string;

beforeEach(async () => {
  idcard = await createTestApp();
  ({ id: userId } = await addUser(idcard));
});
afterEach(() => idcard.close());

const refresh = (refresh_token: string) =>
  idcard.app.inject({ method: 'POST', url: '/v1/refresh', body: { refresh_token } });

test('a refresh answers like a login, with claims that name the same login', async () => {
  const login = await logIn(idcard);
  idcard.time.now += 100;
  const response = await refresh(login.refresh_token);
  expect(response.statusCode).toBe(200);
  expect(response.headers['cache-control']).toBe('no-store');
  const renewed = response.json<TokenBody>();
  expect(renewed).toMatchObject({
    token_type: 'Bearer',
    expires_in: 300,
    refresh_expires_in: 7 * DAY,
    scope: 'account',
  });

  const [before, after] = [decode(login.refresh_token), decode(renewed.refresh_token)];
  expect(after).toMatchObject({
    sid: before.sid,
    auth_time: START,
    iat: START + 100,
    exp: START + 100 + 7 * DAY,
  });
  expect(after.jti).not.toBe(before.jti);
  expect(decode(renewed.access_token)).toMatchObject({ sub: userId, auth_time: START, iat: START + 100 });
});

test('a refresh token works in its last second unused, and not at the second of its exp', async () => {
  const { refresh_token } = await logIn(idcard);
  idcard.time.now = START + 7 * DAY - 1;
  expect((await refresh(refresh_token)).statusCode).toBe(200);
  idcard.time.now = START + 7 * DAY;
  expect((await refresh(refresh_token)).statusCode).toBe(401);
});

test('no number of refreshes makes a login older than 30 days', async () => {
  let tokens = await logIn(idcard);
  for (let day = 1; day < 30; day++) {
    idcard.time.now = START + day * DAY;
    tokens = (await refresh(tokens.refresh_token)).json();
  }
  expect(decode(tokens.refresh_token).exp).toBe(START + 30 * DAY);
  idcard.time.now = START + 30 * DAY - 1;
  const last = (await refresh(tokens.refresh_token)).json<TokenBody>();
  expect(last).toMatchObject({ expires_in: 1, refresh_expires_in: 1 });
  idcard.time.now = START + 30 * DAY;
  expect((await refresh(last.refresh_token)).statusCode).toBe(401);
});

test('100 refreshes of one token at once all succeed', async () => {
  const { refresh_token } = await logIn(idcard);
  const answers = await Promise.all(Array.from({ length: 100 }, () => refresh(refresh_token)));
  expect(answers.filter(({ statusCode }) => statusCode === 200)).toHaveLength(100);
});

test('roles come from the user as they are now', async () => {
  const { refresh_token } = await logIn(idcard);
  await idcard.directory.update(userId, { roles: ['admin'] });
  const { access_token } = (await refresh(refresh_token)).json<TokenBody>();
  expect(decode(access_token).roles).toEqual(['admin']);
});

describe('a refresh token is void at once', () => {
  const countermeasures: Record<string, (tokens: TokenBody) => Promise<unknown>> = {
    'after logging out everywhere': ({ access_token }) =>
      idcard.app.inject({ method: 'POST', url: '/v1/logout-everywhere', headers: bearer(access_token) }),
    'after a password change': ({ access_token }) =>
      idcard.app.inject({
        method: 'PUT',
        url: '/v1/me/password',
        headers: bearer(access_token),
        body: { current_password: ADA.password, new_password: 'nine lazy clouds over Turin' },
      }),
    'when the user is disabled': () => idcard.directory.updateAndVoidTokens(userId, { status: 'disabled' }),
  };
  test.each(Object.entries(countermeasures))('%s', async (_name, act) => {
    const tokens = await logIn(idcard);
    await act(tokens);
    const refused = await refresh(tokens.refresh_token);
    expect(refused.statusCode).toBe(401);
    expect(refused.json().detail).toBe('The token has been revoked; log in again.');
  });

  test('and stays void when the user is enabled again', async () => {
    const { refresh_token } = await logIn(idcard);
    await idcard.directory.updateAndVoidTokens(userId, { status: 'disabled' });
    await idcard.directory.update(userId, { status: 'active' });
    expect((await refresh(refresh_token)).statusCode).toBe(401);
  });
});

test('the status of the user counts even when the token version does not', async () => {
  const { refresh_token } = await logIn(idcard);
  await idcard.directory.update(userId, { status: 'disabled' });
  expect((await refresh(refresh_token)).statusCode).toBe(401);
});

describe('the tokens leave by the way the old one came', () => {
  test('a refresh cookie is answered with cookies and no body', async () => {
    const cookie = await logInWithCookies(idcard);
    const response = await idcard.app.inject({ method: 'POST', url: '/v1/refresh', headers: { cookie } });
    expect(response.statusCode).toBe(204);
    expect(response.body).toBe('');
    expect(response.cookies.map(({ name }) => name)).toEqual(['access', 'refresh']);
  });

  test('without a refresh token the answer says what to send', async () => {
    const response = await idcard.app.inject({ method: 'POST', url: '/v1/refresh' });
    expect(response.statusCode).toBe(401);
    expect(response.headers['www-authenticate']).toBe(
      'Bearer realm="idcard", DPoP realm="idcard", algs="ES256 EdDSA"',
    );
    expect(response.json().type).toBe('urn:idcard:problem:refresh-token-required');
  });

  test('a cookie and a body, or a cookie and a header, are refused', async () => {
    const cookie = await logInWithCookies(idcard);
    const { refresh_token } = await logIn(idcard);
    const attempts = [
      { headers: { cookie }, body: { refresh_token } },
      { headers: { cookie, authorization: 'Bearer a.b.c' } },
    ];
    for (const attempt of attempts) {
      const response = await idcard.app.inject({ method: 'POST', url: '/v1/refresh', ...attempt });
      expect(response.statusCode).toBe(400);
      expect(response.json().type).toBe('urn:idcard:problem:several-credentials');
    }
  });

  test('an access token beside the body is not in the way, since clients attach it to every request', async () => {
    const { access_token, refresh_token } = await logIn(idcard);
    const response = await idcard.app.inject({
      method: 'POST',
      url: '/v1/refresh',
      headers: bearer(access_token),
      body: { refresh_token },
    });
    expect(response.statusCode).toBe(200);
  });
});
