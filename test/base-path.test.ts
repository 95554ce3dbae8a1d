import { once } from 'node:events';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sha256 } from '../src/base/digest.ts';
import { basePathOf } from '../src/base/issuer.ts';
import {
  ADA,
  addUser,
  bearer,
  createTestApp,
  decode,
  logIn,
  logInWithCookies,
  type TestApp,
} from './support/app.ts';
import { createProofKey, forgeProof } from './support/dpop.ts';

const PUBLIC_URL = 'https://example.com/auth';

let idcard: TestApp;
beforeAll(async () => {
  idcard = await createTestApp({ env: { PUBLIC_URL, RATE_LIMITS: 'off' } });
  await addUser(idcard);
});
afterAll(() => idcard.close());

const get = (url: string, headers: Record<string, string> = {}) => idcard.get(url, headers);

test('tokens name the whole address as their issuer', async () => {
  const { access_token, refresh_token } = await logIn(idcard);
  expect(decode(access_token)).toMatchObject({ iss: PUBLIC_URL, aud: 'api' });
  expect(decode(refresh_token)).toMatchObject({ iss: PUBLIC_URL, aud: PUBLIC_URL });
});

describe.each([
  ['takes the path off', ''],
  ['leaves the path on', '/auth'],
])('behind a proxy that %s', (_name, path) => {
  test('every route answers', async () => {
    const token = (await logIn(idcard)).access_token;
    const urls = [
      '/v1/me',
      '/v1/verify?max_age=60',
      '/.well-known/jwks.json',
      '/livez',
      '/docs',
      '/openapi.yaml',
    ];
    for (const url of urls)
      expect([url, (await get(path + url, bearer(token))).statusCode]).toEqual([url, 200]);
    const refreshed = await idcard.post(`${path}/v1/refresh`, {
      refresh_token: (await logIn(idcard)).refresh_token,
    });
    expect(refreshed.statusCode).toBe(200);
  });

  test('a wrong method is told the right ones, and an unknown address is 404', async () => {
    const response = await idcard.app.inject({ method: 'DELETE', url: `${path}/v1/login` });
    expect([response.statusCode, response.headers.allow]).toEqual([405, 'POST']);
    for (const url of ['/nothing', '/v1', '//v1/me', '/v1/%zz'])
      expect((await get(path + url)).statusCode).toBeOneOf([400, 404]);
  });

  test('cookies are for the host, as ever, and the origin of the address may use them', async () => {
    const login = (origin: string) =>
      idcard.post(`${path}/v1/login`, { ...ADA, transport: 'cookie' }, { origin });
    const response = await login('https://example.com');
    expect(response.statusCode).toBe(204);
    expect(response.cookies.map(({ name, path }) => [name, path])).toEqual(
      expect.arrayContaining([
        ['__Host-access', '/'],
        ['__Host-refresh', '/'],
      ]),
    );
    for (const origin of ['https://example.com.evil.example', PUBLIC_URL, 'https://auth.example.com', 'null'])
      expect([origin, (await login(origin)).statusCode]).toEqual([origin, 403]);
    const cookie = await logInWithCookies(idcard);
    const change = (origin: string) => idcard.post(`${path}/v1/refresh`, undefined, { cookie, origin });
    expect((await change('https://example.com')).statusCode).toBe(204);
    expect((await change('https://example.org')).statusCode).toBe(403);
  });

  test.each([
    ['as the client sees it', `${PUBLIC_URL}/v1/login`, 200],
    ['in another spelling of it', 'https://EXAMPLE.com:443/x/../auth/v1/login', 200],
    ['without the path', 'https://example.com/v1/login', 400],
    ['with the path twice', `${PUBLIC_URL}/auth/v1/login`, 400],
    ['under another path', 'https://example.com/author/v1/login', 400],
    ['at another host', 'https://example.org/auth/v1/login', 400],
  ])('a DPoP proof for the address %s logs in: %s %i', async (_spelling, htu, status) => {
    const response = await prove('POST', `${path}/v1/login`, htu);
    expect(response.statusCode).toBe(status);
    if (status !== 200) {
      expect(response.json()).toMatchObject({ error: 'invalid_dpop_proof' });
      return;
    }
    const token = response.json().access_token;
    expect((await prove('GET', `${path}/v1/me?a=1`, `${PUBLIC_URL}/v1/me`, token)).statusCode).toBe(200);
    expect((await prove('GET', `${path}/v1/me`, 'https://example.com/v1/me', token)).statusCode).toBe(401);
  });

  const key = createProofKey();
  async function prove(method: 'GET' | 'POST', url: string, htu: string, token?: string) {
    const claims = { htm: method, htu, ...(token && { ath: sha256(token) }) };
    const send = (nonce?: string) =>
      idcard.app.inject({
        method,
        url,
        headers: {
          dpop: forgeProof(key, { ...claims, nonce }),
          ...(token && { authorization: `DPoP ${token}` }),
        },
        ...(method === 'POST' && { body: ADA }),
      });
    return send(String((await send()).headers['dpop-nonce']));
  }
});

test('only the path itself is taken off, once and as it is spelled', async () => {
  const urls = ['/authx/livez', '/Auth/livez', '/%61uth/livez', '/auth/auth/livez', '/auth.livez'];
  for (const url of urls) expect([url, (await get(url)).statusCode]).toEqual([url, 404]);
  for (const url of ['/auth', '/auth?x=/livez', '/auth/'])
    expect((await get(url)).json()).toMatchObject({
      type: 'urn:idcard:problem:not-found',
      detail: expect.not.stringMatching(/ \//), // no address that would be another's here
    });
});

test('the absolute form of a request is taken as well, with the path and without', async () => {
  const deep = await createTestApp({ env: { PUBLIC_URL } });
  await deep.app.listen({ port: 0 });
  const { port } = deep.app.server.address() as AddressInfo;
  const statusOf = async (path: string) => {
    const [answer] = await once(request({ port, path }).end(), 'response');
    answer.resume();
    return answer.statusCode;
  };
  for (const path of [
    'https://example.com/auth/livez',
    'HTTP://other:80/auth/livez?a',
    'http://example.com/livez',
  ])
    expect([path, await statusOf(path)]).toEqual([path, 200]);
  for (const path of ['http://example.com', 'http://example.com?/livez', 'http://example.com/authx/livez'])
    expect([path, await statusOf(path)]).toEqual([path, 404]);
  await deep.close();
});

describe('the metadata', () => {
  const names = ['oauth-authorization-server', 'openid-configuration'];
  test.each(names)(
    '%s stands below the address, and where RFC 8414 §3.1 puts the path last',
    async (name) => {
      const urls = [`/.well-known/${name}`, `/auth/.well-known/${name}`, `/.well-known/${name}/auth`];
      for (const url of urls) {
        const response = await get(url);
        expect([url, response.statusCode]).toEqual([url, 200]);
        expect(response.headers['cache-control']).toBe('public, max-age=300');
        expect(response.json()).toMatchObject({
          issuer: PUBLIC_URL,
          jwks_uri: `${PUBLIC_URL}/.well-known/jwks.json`,
        });
      }
      for (const url of [`/.well-known/${name}/other`, `/.well-known/${name}/auth/`])
        expect((await get(url)).statusCode).toBe(404);
    },
  );

  test('has no such second address at the root of a host', async () => {
    const root = await createTestApp();
    expect((await root.get('/.well-known/oauth-authorization-server/')).statusCode).toBe(404);
    expect((await root.get('/auth/livez')).statusCode).toBe(404);
    await root.close();
  });
});

test('the document names the path as its server, and each operation once', async () => {
  const { servers, paths } = (await get('/openapi.json')).json();
  expect(servers).toEqual([{ url: '/auth', description: 'The server this document came from' }]);
  expect(Object.keys(paths).filter((path) => path.includes('auth'))).toEqual([
    '/.well-known/oauth-authorization-server',
  ]);
  expect((await get('/openapi.yaml')).body).toContain('\n  - url: /auth\n');
});

test('a path of several segments is taken off as a whole', async () => {
  const deep = await createTestApp({ env: { PUBLIC_URL: 'https://example.com/a.b/~c_d-e' } });
  expect((await deep.get('/a.b/~c_d-e/livez')).statusCode).toBe(200);
  for (const url of ['/a.b/livez', '/axb/~c_d-e/livez'])
    expect((await deep.app.inject(url)).statusCode).toBe(404);
  const metadata = await deep.get('/.well-known/openid-configuration/a.b/~c_d-e');
  expect(metadata.json()).toMatchObject({ issuer: 'https://example.com/a.b/~c_d-e' });
  await deep.close();
});

test('every route begins in a way that no path of PUBLIC_URL may begin', async () => {
  const first = new Set(routesOf(idcard.app.printRoutes({ commonPrefix: false })));
  expect(first.size).toBeGreaterThan(5);
  for (const segment of first)
    await expect(createTestApp({ env: { PUBLIC_URL: `https://example.com/${segment}/x` } })).rejects.toThrow(
      /^PUBLIC_URL must be .* must not begin like one of idcard’s own/,
    );
});

/** The first segments of what Fastify prints as a tree. */
function routesOf(tree: string): string[] {
  return [...tree.matchAll(/^[├└]── \/?([^/\s]+)/gm)].map(([, segment = '']) => segment);
}

test.each([
  ['https://example.com', ''],
  ['https://example.com:8443/auth', '/auth'],
  ['http://[::1]:3000/a/b', '/a/b'],
])('the path of %s is "%s"', (url, path) => {
  expect(basePathOf(url)).toBe(path);
});
