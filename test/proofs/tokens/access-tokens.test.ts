import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addUser, bearer, createTestApp, decode, logIn, START, type TestApp } from '../../support/app.ts';

let idcard: TestApp;
let userId: string;

beforeAll(async () => {
  idcard = await createTestApp();
  ({ id: userId } = await addUser(idcard, {
    email: 'ada@example.com',
    password: 'violet otters play chess',
    roles: ['admin'],
  }));
});
afterAll(() => idcard.close());

const verify = (token: string) => idcard.get('/v1/verify', bearer(token));

describe('an access token', () => {
  test('has the header and the claims of RFC 9068, and nothing else', async () => {
    const { access_token } = await logIn(idcard);
    expect(decode(access_token, 0)).toEqual({
      alg: 'ES256',
      typ: 'at+jwt',
      kid: expect.stringMatching(/^[\w-]{43}$/),
    });
    expect(decode(access_token)).toEqual({
      iss: 'http://localhost:3000',
      sub: userId,
      aud: 'api',
      exp: START + 300,
      iat: START,
      jti: expect.stringMatching(/^[\w-]{22}$/),
      client_id: 'idcard',
      auth_time: START,
      amr: ['pwd'],
      scope: 'account',
      roles: ['admin'],
      ver: 1,
    });
  });

  test('has 700 bytes at most', async () => {
    const { access_token } = await logIn(idcard);
    expect(access_token.length).toBeLessThanOrEqual(700);
  });

  test('never repeats its jti', async () => {
    const [one, two] = [await logIn(idcard), await logIn(idcard)];
    expect(decode(one.access_token).jti).not.toBe(decode(two.access_token).jti);
  });

  test('is verified without asking the directory, whose answer would come too late', async () => {
    const locked = await createTestApp({
      directory: (real) => ({ ...real, findById: () => Promise.reject(new Error('asked')) }),
    });
    await addUser(locked);
    const { access_token } = await logIn(locked);
    for (let round = 0; round < 2; round++) {
      const response = await locked.get('/v1/verify', bearer(access_token));
      expect(response.statusCode).toBe(200);
    }
    await locked.close();
  });
});

describe.each(['fresh', 'remembered'])('a %s access token', (state) => {
  test('works in its last second and is refused at the second of its exp', async () => {
    idcard.time.now = START;
    const { access_token } = await logIn(idcard);
    if (state === 'remembered') expect((await verify(access_token)).statusCode).toBe(200);
    idcard.time.now = START + 299;
    expect((await verify(access_token)).statusCode).toBe(200);
    idcard.time.now = START + 300;
    const refused = await verify(access_token);
    expect(refused.statusCode).toBe(401);
    expect(refused.headers['www-authenticate']).toBe(
      'Bearer realm="idcard", error="invalid_token", error_description="The token has expired.", DPoP realm="idcard", algs="ES256 EdDSA"',
    );
    idcard.time.now = START;
  });
});

test('two requests with one token get claims that neither can change', async () => {
  const { access_token } = await logIn(idcard);
  const first = await verify(access_token);
  const second = await verify(access_token);
  expect(second.json()).toEqual(first.json());
  expect(second.json()).toEqual(decode(access_token));
});

test('the subject and the roles are in headers for proxies', async () => {
  const { access_token } = await logIn(idcard);
  const { headers } = await verify(access_token);
  expect(headers['x-auth-subject']).toBe(userId);
  expect(headers['x-auth-roles']).toBe('admin');
});

test.each(['RS256', 'EdDSA'])('%s can be chosen', async (algorithm) => {
  const other = await createTestApp({ env: { JWT_ALGORITHM: algorithm } });
  await addUser(other);
  const { access_token } = await logIn(other);
  expect(decode(access_token, 0).alg).toBe(algorithm);
  expect((await other.get('/v1/verify', bearer(access_token))).statusCode).toBe(200);
  await other.close();
});
