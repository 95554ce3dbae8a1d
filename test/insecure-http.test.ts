import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { buildApp } from '../src/app.ts';
import { readConfig } from '../src/config/config.ts';
import { greet } from '../src/serve/greeting.ts';
import { ADA, addUser, bearer, createTestApp, logIn, type TestApp } from './support/app.ts';

/* PUBLIC_URL is http, and not on this machine. */

const PUBLIC_URL = 'http://login.example.com';
const INSECURE = { PUBLIC_URL, INSECURE_HTTP: 'on' };

describe('PUBLIC_URL', () => {
  test.each([
    'http://login.example.com',
    'http://idcard:3000', // of containers
    'http://192.168.1.20:3000',
    'http://localhost.example.com',
    'http://127.0.0.1.nip.io',
    'http://0.0.0.0:3000',
    'HTTP://Login.Example.com/auth',
  ])('of %s is refused, unless INSECURE_HTTP=on', (url) => {
    expect(() => readConfig({ PUBLIC_URL: url })).toThrow(
      'PUBLIC_URL is http and not on this machine, so that anybody on the way could read passwords and tokens: use https, or set INSECURE_HTTP to on, which permits bearer tokens and no cookies.',
    );
    expect(readConfig({ PUBLIC_URL: url, INSECURE_HTTP: 'on' }).server.publicUrl).toBe(url.toLowerCase());
  });

  test.each([
    'https://login.example.com',
    'http://localhost:3000',
    'http://127.0.0.1',
    'http://127.1:3000',
    'http://[::1]:3000/auth',
  ])('of %s is not', (url) => {
    expect(readConfig({ PUBLIC_URL: url, INSECURE_HTTP: 'off' }).server.publicUrl).toMatch(/^https?:/);
  });
});

describe('with INSECURE_HTTP=on', () => {
  let idcard: TestApp;
  beforeAll(async () => {
    idcard = await createTestApp({ env: INSECURE });
    await addUser(idcard);
  });
  afterAll(() => idcard.close());

  test('bearer tokens work: login, use, renewal, logout', async () => {
    const { access_token, refresh_token } = await logIn(idcard);
    const headers = bearer(access_token);
    for (const url of ['/v1/me', '/v1/verify']) expect((await idcard.get(url, headers)).statusCode).toBe(200);
    const renewal = { method: 'POST', url: '/v1/refresh', body: { refresh_token } } as const;
    expect((await idcard.app.inject(renewal)).statusCode).toBe(200);
    for (const url of ['/v1/logout', '/v1/logout-everywhere'])
      expect((await idcard.post(url, undefined, headers)).statusCode).toBe(204);
  });

  test.each([
    ['POST', '/v1/login', { ...ADA, transport: 'cookie' }, 'device'],
    ['POST', '/v1/refresh', undefined, 'refresh'],
    ['POST', '/v1/logout', undefined, 'refresh'],
    ['POST', '/v1/logout', undefined, 'access'],
    ['POST', '/v1/logout-everywhere', undefined, 'access'],
    ['PUT', '/v1/me/password', { current_password: ADA.password, new_password: 'x' }, 'access'],
    ['GET', '/v1/me', undefined, 'access'],
    ['GET', '/v1/verify', undefined, 'access'],
  ] as const)(
    '%s %s with a cookie is refused with a sentence, and sets none',
    async (method, url, body, name) => {
      const { access_token, refresh_token } = await logIn(idcard);
      const token = name === 'access' ? access_token : refresh_token;
      const response = await idcard.app.inject({
        method,
        url,
        headers: { cookie: `__Host-${name}=${token}`, 'sec-fetch-site': 'same-origin' },
        ...(body && { body }),
      });
      expect(response.statusCode).toBe(403);
      expect(response.headers['set-cookie']).toBeUndefined();
      expect(response.json()).toEqual({
        type: 'urn:idcard:problem:cookies-need-https',
        title: 'Cookies need https',
        status: 403,
        detail:
          'This server is reached over http, where anybody on the way could take a cookie: send no cookies, and log in with transport "bearer".',
      });
    },
  );

  test('the log and the greeting warn', async () => {
    const warn = vi.fn();
    const logger = Object.assign(pino({ level: 'silent' }), { warn });
    const directory = { raisedSince: async () => [], close: async () => undefined } as never;
    const KEY_SET = JSON.stringify(idcard.jwks);
    await (await buildApp(readConfig({ ...INSECURE, KEY_SET }), { logger, directory })).close();
    expect(warn.mock.calls).toEqual([[{ event: 'http.insecure' }]]);

    const said = vi.spyOn(console, 'error').mockReturnValue();
    greet(readConfig(INSECURE), []);
    greet(readConfig({}), []);
    expect(said.mock.calls.map(([text]) => String(text).includes('INSECURE_HTTP=on'))).toEqual([true, false]);
  });
});
