import { afterAll, beforeAll } from 'vitest';
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
import { describe, expect, test } from '../support/idcard.ts';

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
  ['what is shared to our own app', { 'sec-fetch-site': 'none', origin: 'null' }, true],
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
  ['an extension', { 'sec-fetch-site': 'none', origin: 'chrome-extension://abcdefghijklmnop' }, false],
  ['a hostile page that claims to be none', { 'sec-fetch-site': 'none', origin: EVIL }, false],
  ['an unknown word', { 'sec-fetch-site': 'friendly' }, false],
  ['two words', { 'sec-fetch-site': 'same-origin, cross-site' }, false],
  ['our origin over http', { origin: 'http://login.example.com' }, false],
  ['our origin as a prefix', { origin: `${OWN}.evil.example` }, false],
  ['our origin with a port', { origin: `${OWN}:8443` }, false],
  ['our origin in capitals', { origin: OWN.toUpperCase() }, false],
  ['two origins', { origin: `${OWN}, ${EVIL}` }, false],
];

const unsafeRequests: Record<string, (headers: Record<string, string>) => Promise<{ statusCode: number }>> = {
  'logs in for cookies': (headers) => idcard.post('/v1/login', { ...ADA, transport: 'cookie' }, headers),
  'refreshes by cookie': (headers) => idcard.post('/v1/refresh', undefined, { ...headers, cookie }),
  'logs out': (headers) => idcard.post('/v1/logout', undefined, headers),
  'asks a proxy to POST': (headers) =>
    idcard.get('/v1/verify', { ...headers, cookie, 'x-forwarded-method': 'POST' }),
  ...Object.fromEntries(
    Object.entries({
      upgrade: 'WebSocket',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'sec-websocket-version': '13',
      'sec-websocket-extensions': 'permessage-deflate',
      'sec-websocket-protocol': 'chat',
      'sec-fetch-mode': 'websocket',
    }).map(([name, value]) => [
      `opens a WebSocket of which ${name} has arrived`,
      (headers: Record<string, string>) => idcard.get('/v1/verify', { ...headers, cookie, [name]: value }),
    ]),
  ),
};

describe.each(senders)('%s', (_sender, headers, trusted) => {
  test.each(Object.entries(unsafeRequests))(`${trusted ? 'may' : 'must not'}: %s`, async (_name, send) => {
    const { statusCode } = await send(headers);
    if (trusted) expect([200, 204]).toContain(statusCode);
    else expect(statusCode).toBe(403);
  });

  test('may log in by bearer, where nothing is attached by itself', async () => {
    const response = await idcard.post('/v1/login', ADA, headers);
    expect(response.statusCode).toBe(200);
  });

  test('may send a bearer token anywhere', async () => {
    const response = await idcard.post('/v1/logout-everywhere', undefined, {
      ...headers,
      ...bearer('a.b.c'),
    });
    expect(response.statusCode).toBe(401);
  });

  const mayRead = trusted || !('origin' in headers);
  test(`${mayRead ? 'may' : 'must not'} read by cookie: without an Origin no page gets the answer`, async () => {
    for (const [method, url] of [
      ['GET', '/v1/verify'],
      ['HEAD', '/v1/verify'],
      ['GET', '/v1/me'],
    ] as const) {
      const response = await idcard.app.inject({ method, url, headers: { ...headers, cookie } });
      expect(response.statusCode).toBe(mayRead ? 200 : 403);
    }
  });
});

test('a hostile page can neither change the password nor log out everywhere', async () => {
  const headers = { cookie, 'sec-fetch-site': 'cross-site', origin: EVIL };
  const change = { current_password: ADA.password, new_password: CLEO.password };
  const answers = [
    await idcard.put('/v1/me/password', change, headers),
    await idcard.post('/v1/logout-everywhere', undefined, headers),
  ];
  for (const answer of answers) {
    expect(answer).toBeProblem('cross-site-request');
    expect(answer.cookies).toEqual([]);
  }
});

describe('a request that asks for cookies', () => {
  const MOBILE = 'capacitor://localhost';
  let shared: TestApp;
  let session: string;

  beforeAll(async () => {
    shared = await createTestApp({
      env: { PUBLIC_URL: OWN, ALLOWED_ORIGINS: `${APP},${MOBILE}`, RATE_LIMITS: 'off' },
    });
    await addUser(shared);
    session = await logInWithCookies(shared);
  });
  afterAll(() => shared.close());

  const inject = (method: 'GET' | 'POST' | 'PUT', url: string, headers: object, body?: object) =>
    shared.app.inject({ method, url, headers: { ...headers }, ...(body && { body }) });
  const change = { current_password: ADA.password, new_password: 'nine lazy clouds over Turin' };
  const requests: Record<string, (headers: object) => ReturnType<typeof inject>> = {
    'a login': (headers) => inject('POST', '/v1/login', headers, { ...ADA, transport: 'cookie' }),
    'a renewal': (headers) => inject('POST', '/v1/refresh', { ...headers, cookie: session }),
    'a change of the password': (headers) =>
      inject('PUT', '/v1/me/password', { ...headers, cookie: session }, change),
  };

  test.each(Object.keys(requests))(
    'is refused from another site, allowed or not, with the reason: %s',
    async (name) => {
      for (const headers of [
        { 'sec-fetch-site': 'cross-site', origin: APP },
        { 'sec-fetch-site': 'cross-site', origin: EVIL },
        { 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'Same-Site', origin: APP },
        { 'sec-fetch-site': ['same-site', 'same-site'], origin: APP },
      ]) {
        const response = await requests[name]?.(headers);
        expect(response?.statusCode).toBe(403);
        expect(response?.cookies).toEqual([]);
        expect(response?.json().type).toBe('urn:idcard:problem:cross-site-request');
      }
      const response = await requests[name]?.({ 'sec-fetch-site': 'cross-site', origin: APP });
      if (name !== 'a change of the password')
        // which is refused for its cookie from another site alone, in any case
        expect(response?.json().detail).toMatch(/another site.*keep no cookies.*transport "bearer"/);
      expect(response?.headers['access-control-allow-origin']).toBe(APP); // so that the page can read why
    },
  );

  test.each([
    { origin: MOBILE },
    { origin: MOBILE, 'sec-fetch-site': 'cross-site' },
    { origin: MOBILE, 'sec-fetch-site': 'none' },
  ])('is refused to an app with a scheme of its own, with the reason: %j', async (headers) => {
    for (const send of Object.values(requests)) expect((await send(headers)).statusCode).toBe(403);
    const { detail } = (await requests['a login']?.(headers))?.json() ?? {};
    expect(detail).toMatch(/scheme of its own.*transport "bearer"/);
  });

  test('a sibling subdomain that is not allowed gets the usual refusal', async () => {
    const response = await requests['a login']?.({ 'sec-fetch-site': 'same-site', origin: SIBLING });
    expect(response?.statusCode).toBe(403);
    expect(response?.json().detail).toContain(`"${SIBLING}" may not call with cookies`);
  });

  test('is answered to an allowed page of the same site', async () => {
    const headers = { 'sec-fetch-site': 'same-site', origin: APP };
    expect((await requests['a login']?.(headers))?.cookies).toHaveLength(3);
    expect((await requests['a renewal']?.(headers))?.cookies).toHaveLength(2);
  });

  test.each([MOBILE, APP])(
    'other requests are not: %s may log in and out by bearer, from another site too',
    async (origin) => {
      const headers = { origin, 'sec-fetch-site': 'cross-site' };
      const login = await inject('POST', '/v1/login', headers, ADA);
      expect(login.statusCode).toBe(200);
      const { access_token, refresh_token } = login.json();
      const mine = { ...headers, ...bearer(access_token) };
      expect((await inject('GET', '/v1/me', mine)).statusCode).toBe(200);
      expect((await inject('POST', '/v1/refresh', headers, { refresh_token })).statusCode).toBe(200);
      expect((await inject('POST', '/v1/logout', mine)).statusCode).toBe(204);
    },
  );

  test.each([MOBILE, 'CAPACITOR://localhost', 'capacitor://localhost.evil.example', 'null'])(
    'no cookie works for %s, whatever it is used for',
    async (origin) => {
      const headers = { origin, cookie: session };
      for (const [method, url] of [
        ['GET', '/v1/me'],
        ['GET', '/v1/verify'],
        ['POST', '/v1/refresh'],
        ['POST', '/v1/logout'],
        ['POST', '/v1/logout-everywhere'],
      ] as const)
        expect((await inject(method, url, headers)).statusCode).toBe(403);
    },
  );

  test('a logout that merely clears cookies is answered to an allowed page, not to a hostile one', async () => {
    const logout = (origin: string, more: object = {}) =>
      inject('POST', '/v1/logout', { 'sec-fetch-site': 'cross-site', origin, ...more });
    expect((await logout(APP)).statusCode).toBe(204);
    expect((await logout(EVIL)).statusCode).toBe(403);
    expect((await logout(EVIL, { authorization: 'Basic YTpi' })).statusCode).toBe(403); // which a browser sends by itself
  });
});

describe('behind a proxy that asks for each request', () => {
  const ask = (
    named: Record<string, string | string[]>,
    credentials: Record<string, string> = { cookie },
    sender: Record<string, string> = { 'sec-fetch-site': 'cross-site' },
  ) => idcard.get('/v1/verify', { ...credentials, ...sender, ...named });

  test.each(['GET', 'HEAD', 'OPTIONS'])(
    'a link of another site passes as a %s, a page that reads does not',
    async (method) => {
      expect((await ask({ 'x-original-method': method })).statusCode).toBe(200);
      const reader = { 'sec-fetch-site': 'cross-site', origin: EVIL };
      expect((await ask({ 'x-original-method': method }, { cookie }, reader)).statusCode).toBe(403);
    },
  );

  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'CONNECT', 'get', 'TRACE', '', 'GET, POST', 'GET,GET'])(
    'a cross-site %j is refused by either header',
    async (method) => {
      expect((await ask({ 'x-forwarded-method': method })).statusCode).toBe(403);
      expect((await ask({ 'x-original-method': method })).statusCode).toBe(403);
    },
  );

  test('a header that the client added cannot hide the one of the proxy', async () => {
    expect((await ask({ 'x-forwarded-method': 'GET', 'x-original-method': 'POST' })).statusCode).toBe(403);
    expect((await ask({ 'x-forwarded-method': 'POST', 'x-original-method': 'GET' })).statusCode).toBe(403);
    expect((await ask({ 'x-forwarded-method': ['GET', 'GET'] })).statusCode).toBe(403);
  });

  test('a bearer token is not asked where it comes from', async () => {
    expect((await ask({ 'x-forwarded-method': 'POST' }, bearer(token))).statusCode).toBe(200);
  });
});

describe('a proxy that names no method', () => {
  const PROXY = '10.1.2.3';
  let behind: TestApp;
  let session: string;

  beforeAll(async () => {
    const env = { PUBLIC_URL: OWN, ALLOWED_ORIGINS: APP, TRUSTED_PROXIES: '10.0.0.0/8,fd00::/8' };
    behind = await createTestApp({ env });
    await addUser(behind);
    session = await logInWithCookies(behind);
  });
  afterAll(() => behind.close());

  const ask = (headers: Record<string, string>, remoteAddress = PROXY, url = '/v1/verify') =>
    behind.app.inject({ url, remoteAddress, headers: { cookie: session, ...headers } });
  const crossSite = { 'sec-fetch-site': 'cross-site' };

  test.each([PROXY, `::ffff:${PROXY}`, 'fd00::1'])(
    'may ask at %s for anything, so that another site is refused',
    async (address) => {
      const response = await ask(crossSite, address);
      expect(response.statusCode).toBe(403);
      expect(response.json()).toMatchObject({
        type: 'urn:idcard:problem:cross-site-request',
        detail: expect.stringMatching(/X-Forwarded-Method or X-Original-Method/),
      });
    },
  );

  test('is told so of a handshake and of a page that reads as well', async () => {
    for (const headers of [{ origin: EVIL }, { origin: EVIL, upgrade: 'websocket' }]) {
      expect((await ask(headers)).json().detail).toMatch(/X-Forwarded-Method or X-Original-Method/);
    }
  });

  test.each([
    'x-http-method-override',
    'x-http-method',
    'x-method-override',
    'x-method',
    'x-forwarded-verb',
    'x-original-verb',
    'x_forwarded_method',
    'x-envoy-original-method',
    ':method',
  ])('names none by %s', async (name) => {
    expect((await ask({ ...crossSite, [name]: 'GET' })).statusCode).toBe(403);
  });

  test('passes requests of its own site, of allowed pages and of what is no browser', async () => {
    for (const headers of [
      { 'sec-fetch-site': 'same-origin', origin: OWN },
      { 'sec-fetch-site': 'none' },
      { 'sec-fetch-site': 'same-site', origin: APP },
      {},
    ])
      expect((await ask(headers)).statusCode).toBe(200);
  });

  test('passes bearer tokens', async () => {
    const { access_token } = await logIn(behind);
    const headers = { ...crossSite, ...bearer(access_token) };
    const response = await behind.app.inject({ url: '/v1/verify', remoteAddress: PROXY, headers });
    expect(response.statusCode).toBe(200);
  });

  test('passes links of another site once it names their method', async () => {
    expect((await ask({ ...crossSite, 'x-original-method': 'GET' })).statusCode).toBe(200);
    expect((await ask({ ...crossSite, 'x-forwarded-method': 'POST' })).json().detail).not.toMatch(
      /X-Original/,
    );
  });

  test('is known by its own address, and not by one that a client forwards', async () => {
    expect((await ask({ ...crossSite, 'x-forwarded-for': PROXY }, '203.0.113.9')).statusCode).toBe(200);
    expect((await ask({ ...crossSite, 'x-forwarded-for': '203.0.113.9' })).statusCode).toBe(403);
  });

  test('does no harm to other addresses, where requests come themselves', async () => {
    expect((await ask(crossSite, PROXY, '/v1/me')).statusCode).toBe(200);
  });
});
