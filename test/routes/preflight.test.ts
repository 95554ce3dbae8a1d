import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  ADA,
  addUser,
  bearer,
  createTestApp,
  logIn,
  logInWithCookies,
  type TestApp,
} from '../support/app.ts';

const PROXY = '10.1.2.3';
const PREFLIGHT = {
  'x-forwarded-method': 'OPTIONS',
  origin: 'https://app.example.com',
  'access-control-request-method': 'DELETE',
};

let idcard: TestApp;
let token: string;
let cookie: string;

beforeAll(async () => {
  idcard = await createTestApp({ env: { TRUSTED_PROXIES: '10.0.0.0/8, fd00::/8' } });
  await addUser(idcard);
  token = (await logIn(idcard)).access_token;
  cookie = await logInWithCookies(idcard, ADA);
});
afterAll(() => idcard.close());

type Headers = Record<string, string | string[] | undefined>;

/** Asks with these headers; one that is undefined is not sent. */
function verify(given: Headers, { url = '/v1/verify?preflight=pass', remoteAddress = PROXY } = {}) {
  const headers = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return idcard.app.inject({ url, remoteAddress, headers });
}

describe('GET /v1/verify?preflight=pass', () => {
  test.each([
    ['by X-Forwarded-Method', PREFLIGHT],
    [
      'by X-Original-Method',
      { ...PREFLIGHT, 'x-forwarded-method': undefined, 'x-original-method': 'OPTIONS' },
    ],
    ['by both', { ...PREFLIGHT, 'x-original-method': 'OPTIONS' }],
    ['of a sandboxed page', { ...PREFLIGHT, origin: 'null' }],
    ['with a wrong token, at which it does not look', { ...PREFLIGHT, ...bearer('x.y.z') }],
    ['with a forged identity', { ...PREFLIGHT, 'x-auth-subject': 'ada', 'x-auth-roles': 'admin' }],
  ])('lets a preflight pass, %s, and says of nobody who that is', async (_, headers) => {
    const { statusCode, headers: answer, body } = await verify(headers);
    expect([statusCode, body]).toEqual([204, '']);
    expect(Object.keys(answer).filter((name) => name.startsWith('x-auth-') || name === 'dpop-nonce')).toEqual(
      [],
    );
    expect(answer['cache-control']).toBe('no-store');
  });

  test('says nothing of who logged in, even when the login comes along', async () => {
    for (const login of [bearer(token), { cookie }]) {
      const { statusCode, headers } = await verify({ ...PREFLIGHT, ...login });
      expect([statusCode, headers['x-auth-subject'], headers['x-auth-roles']]).toEqual([
        204,
        undefined,
        undefined,
      ]);
    }
  });

  test('lets one of an IPv4-mapped or IPv6 proxy pass', async () => {
    for (const remoteAddress of ['::ffff:10.1.2.3', 'fd00::1'])
      expect((await verify(PREFLIGHT, { remoteAddress })).statusCode).toBe(204);
  });

  test.each([
    ['no method', { 'x-forwarded-method': undefined }],
    ['another method', { 'x-forwarded-method': 'DELETE' }],
    ['another spelling', { 'x-forwarded-method': 'options' }],
    ['a longer method', { 'x-forwarded-method': 'OPTIONS, GET' }],
    ['an empty one beside it', { 'x-original-method': '' }],
    ['two methods', { 'x-original-method': 'GET' }],
    ['two methods, the other way round', { 'x-forwarded-method': 'GET', 'x-original-method': 'OPTIONS' }],
    ['one method twice', { 'x-forwarded-method': ['OPTIONS', 'OPTIONS'] }],
    ['only an overriding method', { 'x-forwarded-method': undefined, 'x-http-method-override': 'OPTIONS' }],
    ['no Origin', { origin: undefined }],
    ['an empty Origin', { origin: '' }],
    ['no method that is asked for', { 'access-control-request-method': undefined }],
    ['an empty one that is asked for', { 'access-control-request-method': '' }],
    ['a change of protocol', { upgrade: 'websocket' }],
    ['the key of a WebSocket', { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' }],
    ['a page that opens a WebSocket', { 'sec-fetch-mode': 'websocket' }],
    ['the version of a WebSocket', { 'sec-websocket-version': '13' }],
  ])('wants a login for a request with %s', async (_, headers) => {
    expect((await verify({ ...PREFLIGHT, ...headers })).statusCode).toBe(401);
  });

  test('wants a login from whoever is no trusted proxy, also where it claims to be one', async () => {
    for (const headers of [PREFLIGHT, { ...PREFLIGHT, 'x-forwarded-for': PROXY }])
      expect((await verify(headers, { remoteAddress: '192.0.2.1' })).statusCode).toBe(401);
    const nobodyTrusted = await createTestApp();
    const url = '/v1/verify?preflight=pass';
    const { statusCode } = await nobodyTrusted.get(url, PREFLIGHT);
    await nobodyTrusted.close();
    expect(statusCode).toBe(401);
  });

  test('is the same as without it for a request with a login', async () => {
    const { statusCode, headers } = await verify(bearer(token));
    expect([statusCode, headers['x-auth-subject']]).toEqual([200, expect.any(String)]);
    const evil = { cookie, origin: 'https://evil.example', 'x-forwarded-method': 'OPTIONS' };
    expect((await verify(evil)).statusCode).toBe(403);
  });
});

test.each([
  '/v1/verify',
  '/v1/verify?preflight=',
  '/v1/verify?preflight=PASS',
  '/v1/verify?preflight=pass&preflight=pass',
  '/v1/verify?Preflight=pass',
  '/v1/verify?x=preflight=pass',
])('no preflight passes by %s', async (url) => {
  expect((await verify(PREFLIGHT, { url })).statusCode).toBe(401);
});

test.each(['/v1/me?preflight=pass', '/v1/logout-everywhere?preflight=pass'])(
  'no preflight passes by %s',
  async (url) => {
    expect((await verify(PREFLIGHT, { url })).statusCode).toBeGreaterThanOrEqual(400);
  },
);
