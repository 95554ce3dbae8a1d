import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  ADA,
  addUser,
  bearer,
  createTestApp,
  logIn,
  START,
  type TestApp,
  type TokenBody,
} from '../support/app.ts';

let idcard: TestApp;
let login: TokenBody;

beforeAll(async () => {
  idcard = await createTestApp();
  await addUser(idcard);
  login = await logIn(idcard);
});
afterAll(() => idcard.close());

const verify = (token: string, maxAge: string) => idcard.get(`/v1/verify?max_age=${maxAge}`, bearer(token));

async function refresh(refresh_token: string): Promise<TokenBody> {
  return (await idcard.post('/v1/refresh', { refresh_token })).json();
}

test('a login as old as was asked for is recent; one second more is not', async () => {
  idcard.time.now = START + 120;
  expect((await verify(login.access_token, '120')).statusCode).toBe(200);
  const refused = await verify(login.access_token, '119');
  expect(refused.statusCode).toBe(401);
  expect(refused.headers['www-authenticate']).toBe(
    'Bearer realm="idcard", error="insufficient_user_authentication", ' +
      'error_description="The login is too old for this; log in again.", max_age="119", ' +
      'DPoP realm="idcard", algs="ES256 EdDSA"',
  );
  expect(refused.json().type).toBe('urn:idcard:problem:recent-login-required');
});

test('refreshing does not satisfy it, logging in does', async () => {
  idcard.time.now = START + 200;
  const renewed = await refresh(login.refresh_token);
  expect((await verify(renewed.access_token, '100')).statusCode).toBe(401);
  expect((await verify((await logIn(idcard, ADA)).access_token, '100')).statusCode).toBe(200);
});

test('zero asks for a login of this very second', async () => {
  const { access_token } = await logIn(idcard);
  expect((await verify(access_token, '0')).statusCode).toBe(200);
  idcard.time.now += 1;
  expect((await verify(access_token, '0')).statusCode).toBe(401);
});

test.each(['', '-1', '1.5', 'x', '1e3', '9999999999', '300&max_age=1'])(
  'max_age=%s is 400',
  async (maxAge) => {
    const { access_token } = await logIn(idcard);
    expect((await verify(access_token, maxAge)).statusCode).toBe(400);
  },
);

test('a bad token is told to be bad, and not to be old', async () => {
  const response = await verify('a.b.c', '0');
  expect(response.headers['www-authenticate']).toMatch(/error="invalid_token"/);
});
