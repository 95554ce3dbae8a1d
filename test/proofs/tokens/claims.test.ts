import { afterAll, beforeAll, expect, test } from 'vitest';
import { addUser, bearer, createTestApp, START, type TestApp } from '../../support/app.ts';
import { forgeAccess, forgeRefresh } from '../../support/forge.ts';

const THIRTY_DAYS = 2_592_000;
let idcard: TestApp;
let sub: string;

beforeAll(async () => {
  idcard = await createTestApp();
  ({ id: sub } = await addUser(idcard));
});
afterAll(() => idcard.close());

/** The answers to an access token and to a refresh token with these claims. */
async function answersTo(claims: object): Promise<number[]> {
  const headers = bearer(forgeAccess(idcard.jwks, { sub, ...claims }));
  const body = { refresh_token: forgeRefresh(idcard.jwks, { sub, ...claims }) };
  const { app } = idcard;
  const answers = [
    await app.inject({ url: '/v1/verify', headers }),
    await app.inject({ method: 'POST', url: '/v1/refresh', body }),
  ];
  return answers.map(({ statusCode }) => statusCode);
}

// The attacks on the running server cannot be exact to the second; here the clock stands still.
test.each(['nbf', 'iat'])('%s may be 5 seconds ahead, and not 6', async (claim) => {
  expect(await answersTo({ [claim]: START + 5 })).toEqual([200, 200]);
  expect(await answersTo({ [claim]: START + 6 })).toEqual([401, 401]);
});

test('exp has no tolerance', async () => {
  expect(await answersTo({ exp: START + 1 })).toEqual([200, 200]);
  expect(await answersTo({ exp: START })).toEqual([401, 401]);
});

test('a refresh token is refused 30 days after the login, whatever its own exp says', async () => {
  expect(await answersTo({ auth_time: START - THIRTY_DAYS + 1 })).toEqual([200, 200]);
  expect(await answersTo({ auth_time: START - THIRTY_DAYS })).toEqual([200, 401]);
});

test('both kinds need our issuer, and each its own audience', async () => {
  expect(await answersTo({ iss: 'http://localhost:3001' })).toEqual([401, 401]);
  expect(await answersTo({ aud: 'api' })).toEqual([200, 401]);
  expect(await answersTo({ aud: ['shop', 'http://localhost:3000'] })).toEqual([401, 200]);
});

test('of several audiences, verify names ours', async () => {
  const headers = bearer(forgeAccess(idcard.jwks, { sub, aud: ['shop', 'api'] }));
  const { statusCode, body } = await idcard.app.inject({ url: '/v1/verify', headers });
  expect([statusCode, JSON.parse(body)]).toMatchObject([200, { sub, aud: 'api' }]);
});

test.each([undefined, null, 1, '', ['a']])('jti %j is refused in both kinds', async (jti) => {
  expect(await answersTo({ jti })).toEqual([401, 401]);
});
