import { afterAll, beforeAll, expect, test } from 'vitest';
import { addUser, createTestApp, START, type TestApp } from '../support/app.ts';
import { forge, forgeAccess, forgeRefresh, hmac, keyOf, REFRESH_CLAIMS, unsigned } from '../support/forge.ts';

let idcard: TestApp;
let sub: string;

beforeAll(async () => {
  idcard = await createTestApp();
  ({ id: sub } = await addUser(idcard));
});
afterAll(() => idcard.close());

const refresh = (token: string) =>
  idcard.app.inject({ method: 'POST', url: '/v1/refresh', body: { refresh_token: token } });

const forgeries: Record<string, () => string> = {
  'an access token': () => forgeAccess(idcard.jwks, { sub }),
  'an access token that says rt+jwt': () =>
    forgeAccess(idcard.jwks, { ...REFRESH_CLAIMS, sub }, { typ: 'rt+jwt' }),
  'alg none': () =>
    forge({ alg: 'none', typ: 'rt+jwt', kid: keyOf(idcard.jwks, 'oct').kid }, REFRESH_CLAIMS, unsigned),
  'a secret that is guessed': () =>
    forge(
      { alg: 'HS256', typ: 'rt+jwt', kid: keyOf(idcard.jwks, 'oct').kid },
      { ...REFRESH_CLAIMS, sub },
      hmac('secret'),
    ),
  'HS512 with our secret': () => forgeRefresh(idcard.jwks, { sub }, { alg: 'HS512' }),
  'the audience of access tokens': () => forgeRefresh(idcard.jwks, { sub, aud: 'api' }),
  'another issuer': () => forgeRefresh(idcard.jwks, { sub, iss: 'http://localhost:1' }),
  'no sid': () => forgeRefresh(idcard.jwks, { sub, sid: undefined }),
  'no auth_time': () => forgeRefresh(idcard.jwks, { sub, auth_time: undefined }),
  'an auth_time of 30 days ago': () => forgeRefresh(idcard.jwks, { sub, auth_time: START - 2_592_000 }),
  'expired now': () => forgeRefresh(idcard.jwks, { sub, exp: START }),
  'an older token version': () => forgeRefresh(idcard.jwks, { sub, ver: 0 }),
  'a newer token version': () => forgeRefresh(idcard.jwks, { sub, ver: 2 }),
  'a user who is not there': () => forgeRefresh(idcard.jwks, { sub: 'nobody' }),
  'SQL for a subject': () => forgeRefresh(idcard.jwks, { sub: "' OR 1=1 --" }),
  'an empty text': () => '',
};

test.each(Object.entries(forgeries))('%s is refused', async (_name, make) => {
  const response = await refresh(make());
  expect(response.statusCode).toBe(401);
  expect(response.headers['www-authenticate']).toMatch(/error="invalid_token"/);
});

test('the same forge makes refresh tokens that are accepted', async () => {
  expect((await refresh(forgeRefresh(idcard.jwks, { sub }))).statusCode).toBe(200);
  expect((await refresh(forgeRefresh(idcard.jwks, { sub, auth_time: START - 2_591_999 }))).statusCode).toBe(
    200,
  );
});

test('a refresh token in a header, a query or a cookie of another name is not looked at', async () => {
  const token = forgeRefresh(idcard.jwks, { sub });
  const attempts = [
    { headers: { authorization: `Bearer ${token}` } },
    { headers: { cookie: `__Host-access=${token}` } },
    { headers: { cookie: `refresh_token=${token}` } },
    { query: { refresh_token: token } },
  ];
  for (const attempt of attempts) {
    const response = await idcard.app.inject({ method: 'POST', url: '/v1/refresh', ...attempt });
    expect([400, 401]).toContain(response.statusCode);
  }
});
