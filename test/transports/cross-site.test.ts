import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  ADA,
  addUser,
  bearer,
  CLEO,
  createTestApp,
  logIn,
  logInWithCookies,
  type TestApp,
} from '../support/app.ts';

const OWN = 'https://login.example.com';
const APP = 'https://app.example.com';
const EVIL = 'https://evil.example';
const SIBLING = 'https://blog.example.com';

let idcard: TestApp;
let cookie: string;
let token: string;

beforeAll(async () => {
  idcard = await createTestApp({ env: { PUBLIC_URL: OWN, ALLOWED_ORIGINS: APP } });
  await addUser(idcard);
  cookie = await logInWithCookies(idcard);
  ({ access_token: token } = await logIn(idcard));
});
afterAll(() => idcard.close());

/** What browsers send along, and whether the page behind it may act with cookies. */
const senders: [string, Record<string, string>, boolean][] = [
  ['no browser', {}, true],
  ['a page of our own', { 'sec-fetch-site': 'same-origin', origin: OWN }, true],
  ['the address bar', { 'sec-fetch-site': 'none' }, true],
  ['a configured page', { 'sec-fetch-site': 'same-site', origin: APP }, true],
  ['an old browser on our own page', { origin: OWN }, true],
  ['an old browser on a configured page', { origin: APP }, true],
  ['a hostile page', { 'sec-fetch-site': 'cross-site', origin: EVIL }, false],
  ['a sibling subdomain', { 'sec-fetch-site': 'same-site', origin: SIBLING }, false],
  ['a hostile page in an old browser', { origin: EVIL }, false],
  ['a sandboxed frame', { 'sec-fetch-site': 'cross-site', origin: 'null' }, false],
  ['a sandboxed frame in an old browser', { origin: 'null' }, false],
  ['a cross-site request without Origin', { 'sec-fetch-site': 'cross-site' }, false],
  ['a same-site request without Origin', { 'sec-fetch-site': 'same-site' }, false],
  ['an unknown word', { 'sec-fetch-site': 'friendly' }, false],
  ['two words', { 'sec-fetch-site': 'same-origin, cross-site' }, false],
  ['our origin over http', { origin: 'http://login.example.com' }, false],
  ['our origin as a prefix', { origin: `${OWN}.evil.example` }, false],
  ['our origin with a port', { origin: `${OWN}:8443` }, false],
  ['our origin in capitals', { origin: OWN.toUpperCase() }, false],
  ['two origins', { origin: `${OWN}, ${EVIL}` }, false],
];

const unsafeRequests: Record<string, (headers: Record<string, string>) => Promise<{ statusCode: number }>> = {
  'logs in for cookies': (headers) =>
    idcard.app.inject({ method: 'POST', url: '/v1/login', headers, body: { ...ADA, transport: 'cookie' } }),
  'refreshes by cookie': (headers) =>
    idcard.app.inject({ method: 'POST', url: '/v1/refresh', headers: { ...headers, cookie } }),
  'logs out': (headers) => idcard.app.inject({ method: 'POST', url: '/v1/logout', headers }),
  'asks a proxy to POST': (headers) =>
    idcard.app.inject({ url: '/v1/verify', headers: { ...headers, cookie, 'x-forwarded-method': 'POST' } }),
};

describe.each(senders)('%s', (_sender, headers, trusted) => {
  test.each(Object.entries(unsafeRequests))(`${trusted ? 'may' : 'must not'}: %s`, async (_name, send) => {
    const { statusCode } = await send(headers);
    if (trusted) expect([200, 204]).toContain(statusCode);
    else expect(statusCode).toBe(403);
  });

  test('may log in by bearer, where nothing is attached by itself', async () => {
    const response = await idcard.app.inject({ method: 'POST', url: '/v1/login', headers, body: ADA });
    expect(response.statusCode).toBe(200);
  });

  test('may send a bearer token anywhere', async () => {
    const response = await idcard.app.inject({
      method: 'POST',
      url: '/v1/logout-everywhere',
      headers: { ...headers, ...bearer('a.b.c') },
    });
    expect(response.statusCode).toBe(401);
  });

  test('may read by cookie, since the browser keeps the answer from a page of another origin', async () => {
    const response = await idcard.app.inject({ url: '/v1/verify', headers: { ...headers, cookie } });
    expect(response.statusCode).toBe(200);
  });
});

test('a hostile page can neither change the password nor log out everywhere', async () => {
  const headers = { cookie, 'sec-fetch-site': 'cross-site', origin: EVIL };
  const change = { current_password: ADA.password, new_password: CLEO.password };
  const answers = [
    await idcard.app.inject({ method: 'PUT', url: '/v1/me/password', headers, body: change }),
    await idcard.app.inject({ method: 'POST', url: '/v1/logout-everywhere', headers }),
  ];
  for (const answer of answers) {
    expect(answer.statusCode).toBe(403);
    expect(answer.json().type).toBe('urn:idcard:problem:cross-site-request');
    expect(answer.cookies).toEqual([]);
  }
});

describe('behind a proxy that asks for each request', () => {
  const ask = (named: Record<string, string>, credentials: Record<string, string> = { cookie }) =>
    idcard.app.inject({
      url: '/v1/verify',
      headers: { ...credentials, 'sec-fetch-site': 'cross-site', origin: EVIL, ...named },
    });

  test.each(['GET', 'HEAD', 'OPTIONS'])('a cross-site %s passes', async (method) => {
    expect((await ask({ 'x-original-method': method })).statusCode).toBe(200);
  });

  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'get', 'TRACE', '', 'GET, POST'])(
    'a cross-site %j is refused by either header',
    async (method) => {
      expect((await ask({ 'x-forwarded-method': method })).statusCode).toBe(403);
      expect((await ask({ 'x-original-method': method })).statusCode).toBe(403);
    },
  );

  test('a header that the client added cannot hide the one of the proxy', async () => {
    expect((await ask({ 'x-forwarded-method': 'GET', 'x-original-method': 'POST' })).statusCode).toBe(403);
    expect((await ask({ 'x-forwarded-method': 'POST', 'x-original-method': 'GET' })).statusCode).toBe(403);
  });

  test('a bearer token is not asked where it comes from', async () => {
    expect((await ask({ 'x-forwarded-method': 'POST' }, bearer(token))).statusCode).toBe(200);
  });
});
