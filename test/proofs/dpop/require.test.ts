import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  ADA,
  addUser,
  bearer,
  createTestApp,
  logIn,
  logInWithCookies,
  type TestApp,
  type TokenBody,
} from '../../support/app.ts';
import {
  createProofKey,
  expectRefusal,
  fetchNonce,
  forgeProof,
  logInBound,
  proofClaims,
} from '../../support/dpop.ts';

/** The app with REQUIRE_DPOP, and one with the same keys and users that does not require it. */
let strict: TestApp;
let lenient: TestApp;
let unbound: TokenBody;

beforeAll(async () => {
  lenient = await createTestApp();
  strict = await createTestApp({
    env: { REQUIRE_DPOP: 'true' },
    jwks: lenient.jwks,
    directory: () => lenient.directory,
  });
  await addUser(lenient);
  unbound = await logIn(lenient);
});
afterAll(async () => {
  await strict.close();
  await lenient.close();
});

const refresh = (refresh_token: string, headers: Record<string, string> = {}) =>
  strict.post('/v1/refresh', { refresh_token }, headers);

test.each(['bearer', 'cookie'])(
  'a login by %s without a proof is refused before the password is looked at',
  async (transport) => {
    for (const password of [ADA.password, 'a wrong password for her']) {
      const body = { email: ADA.email, password, transport };
      const response = await strict.post('/v1/login', body);
      expectRefusal(response, 400, 'invalid_dpop_proof');
      expect(response.json().detail).toBe(
        'REQUIRE_DPOP is on here: send a DPoP proof (RFC 9449) in the header DPoP.',
      );
    }
  },
);

test('a refresh token that is not bound is refused without a proof', async () => {
  const response = await refresh(unbound.refresh_token);
  expectRefusal(response, 400, 'invalid_dpop_proof');
  expect(response.json().detail).toBe(
    'REQUIRE_DPOP is on here: send a DPoP proof (RFC 9449) in the header DPoP.',
  );
});

test('a refresh cookie that is not bound is refused without a proof', async () => {
  const cookie = await logInWithCookies(lenient);
  const response = await strict.post('/v1/refresh', undefined, { cookie });
  expectRefusal(response, 400, 'invalid_dpop_proof');
});

test('a refresh token from before is refused with a proof too, since a thief can make one as well', async () => {
  const dpop = forgeProof(createProofKey(), proofClaims('POST', '/v1/refresh', await fetchNonce(strict)));
  const response = await refresh(unbound.refresh_token, { dpop });
  expectRefusal(response, 401, 'invalid_token', 'Bearer');
  expect(response.json().detail).toBe(
    'The token is not bound to a key, as DPoP and REQUIRE_DPOP demand: log in with a DPoP proof.',
  );
});

test.each([
  ['GET', '/v1/verify'],
  ['GET', '/v1/me'],
  ['PUT', '/v1/me/password'],
  ['POST', '/v1/logout-everywhere'],
] as const)(
  '%s %s: an access token that is not bound is refused, by header and by cookie',
  async (method, url) => {
    const cookie = await logInWithCookies(lenient);
    for (const headers of [bearer(unbound.access_token), { cookie }]) {
      const response = await strict.app.inject({ method, url, headers });
      expectRefusal(response, 401, 'invalid_token', 'Bearer');
      expect(response.json().detail).toBe(
        'The token is not bound to a key, as DPoP and REQUIRE_DPOP demand: log in with a DPoP proof.',
      );
    }
  },
);

test('with proofs everything works', async () => {
  const key = createProofKey('EdDSA');
  const { access_token, refresh_token, token_type } = await logInBound(strict, key);
  expect(token_type).toBe('DPoP');
  const nonce = await fetchNonce(strict);
  const dpop = forgeProof(key, proofClaims('GET', '/v1/me', nonce, access_token));
  const headers = { authorization: `DPoP ${access_token}`, dpop };
  expect((await strict.get('/v1/me', headers)).statusCode).toBe(200);
  const renewal = forgeProof(key, proofClaims('POST', '/v1/refresh', nonce));
  expect((await refresh(refresh_token, { dpop: renewal })).statusCode).toBe(200);
});

test('a stranger still gets the challenge of a request without credentials', async () => {
  const response = await strict.get('/v1/me');
  expect(response.statusCode).toBe(401);
  expect(response.headers['www-authenticate']).toMatch(/DPoP realm="idcard", algs="[^"]+"$/);
  expect(response.headers['www-authenticate']).not.toMatch(/error/);
});
