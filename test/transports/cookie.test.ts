import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCookies, hasPlainCookies } from '../../src/transports/cookie.ts';
import { ADA, addUser, createTestApp, logIn, logInWithCookies, type TestApp } from '../support/app.ts';

let idcard: TestApp;
/** With TLS, where everybody but a developer is. */
const PUBLIC_URL = 'https://login.example.com';
/** `__Host-access=…; __Host-refresh=…` */
let cookie: string;

beforeAll(async () => {
  idcard = await createTestApp({ env: { PUBLIC_URL } });
  await addUser(idcard);
  cookie = await logInWithCookies(idcard);
});
afterAll(() => idcard.close());

const verify = (headers: Record<string, string>) => idcard.get('/v1/verify', headers);

describe('a login by cookie', () => {
  test('sets three cookies that only this host can set, no script can read and no other site can send', async () => {
    const response = await idcard.post('/v1/login', { ...ADA, transport: 'cookie' });
    expect(response.statusCode).toBe(204);
    expect(response.body).toBe('');
    const attributes = (name: string, seconds: number) =>
      expect.stringMatching(
        new RegExp(`^${name}=[\\w.-]+; Max-Age=${seconds}; Path=/; HttpOnly; Secure; SameSite=Lax$`),
      );
    expect(response.headers['set-cookie']).toEqual([
      attributes('__Host-access', 300),
      attributes('__Host-refresh', 604_800),
      attributes('__Host-device', 2_592_000),
    ]);
  });

  test('works from then on', async () => {
    expect((await verify({ cookie })).statusCode).toBe(200);
  });
});

describe('a login by cookie without TLS', () => {
  const ON_THIS_MACHINE = ['http://localhost:3000', 'http://127.0.0.1:3000', 'http://[::1]:3000/auth'];

  test.each(ON_THIS_MACHINE)(
    'at %s has plain names, since Safari keeps no Secure cookie there',
    async (url) => {
      const local = await createTestApp({ env: { PUBLIC_URL: url } });
      await addUser(local);
      const path = url.endsWith('/auth') ? '/auth' : '';
      const ask = (method: 'GET' | 'POST', route: string, sent: string, body?: object) =>
        local.app.inject({ method, url: path + route, headers: { cookie: sent }, ...(body && { body }) });

      const login = await ask('POST', '/v1/login', '', { ...ADA, transport: 'cookie' });
      const attributes = 'Path=/; HttpOnly; SameSite=Lax';
      expect(login.headers['set-cookie']).toEqual([
        expect.stringMatching(new RegExp(`^access=[\\w.-]+; Max-Age=300; ${attributes}$`)),
        expect.stringMatching(new RegExp(`^refresh=[\\w.-]+; Max-Age=604800; ${attributes}$`)),
        expect.stringMatching(new RegExp(`^device=[\\w.-]+; Max-Age=2592000; ${attributes}$`)),
      ]);
      const jar = login.cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
      expect((await ask('GET', '/v1/me', jar)).statusCode).toBe(200);
      expect((await ask('POST', '/v1/refresh', jar)).statusCode).toBe(204);
      expect((await ask('GET', '/v1/me', `${jar}; access=planted`)).statusCode).toBe(401);
      const prefixed = jar.replaceAll(/(?=access|refresh|device)/g, '__Host-');
      expect((await ask('GET', '/v1/me', prefixed)).json().type).toBe('urn:idcard:problem:login-required');
      expect((await ask('POST', '/v1/logout', jar)).headers['set-cookie']).toEqual(
        [`access=; Max-Age=0; ${attributes}`, `refresh=; Max-Age=0; ${attributes}`].map((line) =>
          expect.stringContaining(line.split(';')[0] ?? ''),
        ),
      );
      await local.close();
    },
  );

  test.each([
    'http://idcard:3000',
    'http://localhost.example.com',
    'http://app.localhost',
    'https://localhost',
  ])('is not what %s has', (url) => expect(hasPlainCookies(url)).toBe(false));
});

describe('credentials that could mean two things', () => {
  const value = (name: string) => new RegExp(`${name}=([^;]+)`).exec(cookie)?.[1];

  test('a cookie and a header are refused with 400', async () => {
    const { access_token } = await logIn(idcard);
    for (const authorization of [`Bearer ${access_token}`, `dpop ${access_token}`, 'Bearer x']) {
      const response = await verify({ cookie, authorization });
      expect(response.statusCode).toBe(400);
      expect(response.headers['www-authenticate']).toMatch(/error="invalid_request"/);
    }
  });

  test.each([
    ['twice', (token: string) => `__Host-access=${token}; __Host-access=${token}`],
    ['twice, once planted', (token: string) => `__Host-access=planted; __Host-access=${token}`],
    ['in lower case', (token: string) => `__host-access=${token}`],
    ['in two cases', (token: string) => `__HOST-ACCESS=x; __Host-access=${token}`],
    ['with blanks and a second one', (token: string) => `__Host-access =x;   __Host-access=${token}`],
  ])('the cookie %s is refused with 401', async (_name, spell) => {
    const response = await verify({ cookie: spell(value('__Host-access') ?? '') });
    expect(response.statusCode).toBe(401);
    expect(response.headers['www-authenticate']).toMatch(/error="invalid_token"/);
  });

  test('a refresh cookie planted beside the real one is refused where it is looked at', async () => {
    const planted = `${cookie}; __host-refresh=x`;
    const response = await idcard.post('/v1/refresh', undefined, { cookie: planted });
    expect(response.statusCode).toBe(401);
    expect((await verify({ cookie: planted })).statusCode).toBe(200);
  });

  test.each(['access', '__Secure-access', '__Host-refresh', 'Host-access', '__Host-access2'])(
    'a cookie with the name %s is not looked at',
    async (name) => {
      const response = await verify({ cookie: `${name}=${value('__Host-access')}` });
      expect(response.headers['www-authenticate']).toBe(
        'Bearer realm="idcard", DPoP realm="idcard", algs="ES256 EdDSA"',
      );
    },
  );

  test('a byte that a browser takes for part of the name is no blank', async () => {
    const token = value('__Host-access');
    for (const name of ['\xa0__Host-access', '__Host-access\xa0', '\v__Host-access', '\f__Host-access']) {
      expect((await verify({ cookie: `${name}=${token}` })).json().type).toBe(
        'urn:idcard:problem:login-required',
      );
      expect((await verify({ cookie: `${name}=planted; __Host-access=${token}` })).statusCode).toBe(200);
    }
    expect((await verify({ cookie: `__Host-access=\xa0${token}` })).statusCode).toBe(401);
    expect((await verify({ cookie: ` \t__Host-access\t = \t${token}\t ` })).statusCode).toBe(200);
  });

  test.each(['', '"quoted"', 'a.b.c', '%00', 'a b'])('the value %j is no token', async (bad) => {
    expect((await verify({ cookie: `__Host-access=${bad}` })).statusCode).toBe(401);
  });
});

test('whatever stands in a Cookie header, the answer is 200, 400 or 401', async () => {
  const access = /__Host-access=[^;]+/.exec(cookie)?.[0] ?? '';
  const names = fc.constantFrom(
    '__Host-access',
    '__host-access',
    '__Host-refresh',
    'a',
    '',
    ' __Host-access ',
    '__proto__',
  );
  const values = fc.oneof(fc.string({ maxLength: 30 }), fc.constant(access.split('=')[1] ?? ''));
  const pair = fc.oneof(
    fc.tuple(names, values).map(([name, value]) => `${name}=${value}`),
    fc.constant(access),
    fc.constantFrom('', ';', '=', '==', ';;=', 'novalue'),
  );
  const header = fc
    .tuple(fc.array(pair, { maxLength: 5 }), fc.constantFrom(';', '; ', ' ;\t'))
    .map(([pairs, separator]) => pairs.join(separator).replace(/[^\t\x20-\x7e]/g, '?'));
  await fc.assert(
    fc.asyncProperty(header, async (text) => {
      const sent = text.split(';').map((part) => part.split('=')[0]?.trim().toLowerCase());
      const ours = sent.filter(
        (name, index) => name === '__host-access' && text.split(';')[index]?.includes('='),
      );
      const { statusCode } = await verify({ cookie: text });
      if (ours.length > 1) expect(statusCode).toBe(401);
      else expect([200, 401]).toContain(statusCode);
    }),
    { numRuns: 500 },
  );
});

test('a token too long for a browser is an error where the cookie is made', () => {
  const tokens = {
    accessToken: 'x'.repeat(4096 - '__Host-access='.length + 1),
    accessExpiresInSeconds: 300,
    refreshToken: 'x',
    refreshExpiresInSeconds: 300,
    scope: 'account',
    tokenType: 'Bearer' as const,
  };
  const { send } = createCookies(PUBLIC_URL);
  const reply = { setCookie: () => reply, code: () => reply, send: () => reply };
  expect(() => send(reply as never, tokens)).toThrow('__Host-access would exceed 4096 bytes');
  expect(() => send(reply as never, { ...tokens, accessToken: tokens.accessToken.slice(1) })).not.toThrow();
});
