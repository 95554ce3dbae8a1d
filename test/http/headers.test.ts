import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADA, addUser, BOB, bearer, CLEO, createTestApp, logIn, type TestApp } from '../support/app.ts';

const SECURITY_HEADERS = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};
const APP = 'https://app.example.com';
const ADMIN = 'https://admin.example.com:8443';
const MOBILE = 'capacitor://localhost';
const EXTENSION = 'safari-web-extension://E3449EA7-EC25-4696-8E6F-7FB1B2C3D4E5';

let idcard: TestApp;
/** With two origins that may call it from a browser, and two of apps. */
let shared: TestApp;
/** Whose directory throws. */
let broken: TestApp;
let token: string;

beforeAll(async () => {
  idcard = await createTestApp({ env: { RATE_LIMITS: 'off' } });
  shared = await createTestApp({
    env: {
      ALLOWED_ORIGINS: `${APP}, ${ADMIN}, ${MOBILE}, ${EXTENSION}`,
      ALLOWED_HEADERS: 'traceparent,Sentry-Trace',
    },
  });
  broken = await createTestApp({
    directory: (directory) => ({ ...directory, findByEmail: () => Promise.reject(new Error('broken')) }),
  });
  for (const each of [idcard, shared]) await addUser(each);
  token = (await logIn(idcard)).access_token;
});
afterAll(() => Promise.all([idcard, shared, broken].map(({ close }) => close())));

const login = (body: object = ADA) => idcard.app.inject({ method: 'POST', url: '/v1/login', body });
const refresh = (headers: Record<string, string> = {}, body: object = {}) =>
  idcard.app.inject({ method: 'POST', url: '/v1/refresh', headers, body });

describe('every answer carries the security headers', () => {
  test.each([
    ['200 of a login', 200, () => login()],
    ['200 of a public document', 200, () => idcard.app.inject('/openapi.yaml')],
    ['201', 201, () => idcard.app.inject({ method: 'POST', url: '/v1/register', body: BOB })],
    ['204', 204, () => idcard.app.inject({ method: 'POST', url: '/v1/logout' })],
    ['400 of a body', 400, () => login({ email: 1 })],
    ['400 of an address that cannot be decoded', 400, () => idcard.app.inject('/%zz')],
    ['401', 401, () => idcard.app.inject('/v1/me')],
    ['404', 404, () => idcard.app.inject('/nothing')],
    ['405', 405, () => idcard.app.inject('/v1/login')],
    ['415', 415, () => idcard.app.inject({ method: 'POST', url: '/v1/login', payload: 'a=b' })],
    ['500', 500, () => broken.app.inject({ method: 'POST', url: '/v1/login', body: ADA })],
    ['204 of a preflight', 204, () => preflight(shared, APP)],
  ])('%s', async (_, status, send) => {
    const response = await send();
    expect(response.statusCode).toBe(status);
    expect(response.headers).toMatchObject(SECURITY_HEADERS);
    expect(response.headers['x-powered-by']).toBeUndefined();
    expect(response.headers.server).toBeUndefined();
  });
});

describe('Cache-Control', () => {
  test('is no-store on every answer with tokens', async () => {
    await addUser(idcard, CLEO);
    const bearerLogin = await login(CLEO);
    const { access_token, refresh_token } = bearerLogin.json();
    const answers = [
      bearerLogin,
      await login({ ...ADA, transport: 'cookie' }),
      await refresh({}, { refresh_token }),
      await idcard.app.inject({
        method: 'PUT',
        url: '/v1/me/password',
        headers: bearer(access_token),
        body: { current_password: CLEO.password, new_password: BOB.password },
      }),
    ];
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 204, 200, 200]);
    expect(answers.map(({ headers }) => headers['cache-control'])).toEqual(Array(4).fill('no-store'));
    token = answers[3]?.json().access_token;
  });

  test.each(['/v1/me', '/v1/verify', '/livez', '/readyz', '/nothing'])('is no-store on %s', async (url) => {
    const response = await idcard.app.inject({ url, headers: bearer(token) });
    expect(response.headers['cache-control']).toBe('no-store');
  });

  test.each(['/.well-known/jwks.json', '/.well-known/oauth-authorization-server'])(
    'lets %s be kept for five minutes',
    async (url) => {
      const response = await idcard.app.inject(url);
      expect(response.headers['cache-control']).toBe('public, max-age=300');
    },
  );
});

describe('CORS', () => {
  const corsHeaders = (headers: object) =>
    Object.keys(headers).filter((name) => name.startsWith('access-control-'));
  const get = (origin: string) => shared.app.inject({ url: '/livez', headers: { origin } });

  test.each([APP, ADMIN])('allows %s, which is on the list, with credentials', async (origin) => {
    const { headers } = await get(origin);
    expect(headers['access-control-allow-origin']).toBe(origin);
    expect(headers['access-control-allow-credentials']).toBe('true');
    expect(headers['access-control-expose-headers']).toBe(
      'WWW-Authenticate, DPoP-Nonce, Retry-After, RateLimit, RateLimit-Policy',
    );
    expect(headers.vary).toBe('Origin');
  });

  test.each([MOBILE, EXTENSION])('allows %s, which is of an app, without credentials', async (origin) => {
    for (const { headers } of [await get(origin), await preflight(shared, origin)]) {
      expect(headers['access-control-allow-origin']).toBe(origin);
      expect(headers['access-control-allow-credentials']).toBeUndefined();
      expect(headers.vary).toBe('Origin');
    }
    expect((await preflight(shared, origin)).headers['access-control-allow-headers']).toMatch(
      /^Authorization, /,
    );
  });

  test.each([
    'https://evil.example',
    'null',
    'Capacitor://localhost',
    'capacitor://localhost/',
    'capacitor://localhost:80',
    'capacitor://LOCALHOST',
    'capacitor://evil.example',
    'http://localhost',
    EXTENSION.toLowerCase(),
    'http://app.example.com',
    'https://app.example.com.evil.example',
    'https://evilapp.example.com',
    'https://app.example.com:444',
    'https://APP.example.com',
    `${APP}/`,
    `${APP}, ${ADMIN}`,
    '*',
    'http://localhost:3000',
  ])('sends nothing to %s, which is not', async (origin) => {
    const response = await get(origin);
    expect(response.statusCode).toBe(200);
    expect(corsHeaders(response.headers)).toEqual([]);
    expect(response.headers.vary).toBe('Origin'); // a cache must not give this answer to the other origin
    const options = await preflight(shared, origin);
    expect(options.statusCode).toBe(405);
    expect(corsHeaders(options.headers)).toEqual([]);
  });

  test('answers a preflight with what is allowed, and not with what was asked for', async () => {
    const { statusCode, headers, body } = await preflight(shared, APP, 'DELETE', 'x-evil');
    expect([statusCode, body]).toEqual([204, '']);
    expect(headers['access-control-allow-origin']).toBe(APP);
    expect(headers['access-control-allow-methods']).toBe('GET, HEAD, POST, PUT');
    expect(headers['access-control-allow-headers']).toBe(
      'Authorization, Content-Type, DPoP, traceparent, Sentry-Trace',
    );
    expect(headers['access-control-max-age']).toBe('600');
  });

  test('needs no token in a preflight of a locked route', async () => {
    const headers = { origin: APP, 'access-control-request-method': 'PUT' };
    const response = await shared.app.inject({ method: 'OPTIONS', url: '/v1/me/password', headers });
    expect(response.statusCode).toBe(204);
  });

  test('lets a page read an error', async () => {
    const { statusCode, headers } = await shared.app.inject({ url: '/v1/me', headers: { origin: APP } });
    expect(statusCode).toBe(401);
    expect(headers['access-control-allow-origin']).toBe(APP);
  });

  test('is absent when no origin is configured', async () => {
    for (const origin of [APP, 'http://localhost:3000']) {
      const answers = [
        await preflight(idcard, origin),
        await idcard.app.inject({ url: '/livez', headers: { origin } }),
      ];
      expect(answers.map(({ statusCode }) => statusCode)).toEqual([405, 200]);
      expect(answers.flatMap(({ headers }) => corsHeaders(headers))).toEqual([]);
      expect(answers[1]?.headers.vary).toBeUndefined();
    }
  });
});

function preflight({ app }: TestApp, origin: string, method = 'POST', headers = 'content-type') {
  return app.inject({
    method: 'OPTIONS',
    url: '/v1/login',
    headers: {
      origin,
      'access-control-request-method': method,
      'access-control-request-headers': headers,
    },
  });
}

describe('401 challenges (RFC 6750 §3)', () => {
  const me = (headers: Record<string, string>) => idcard.app.inject({ url: '/v1/me', headers });

  test.each([
    ['no credentials', () => me({})],
    ['another scheme', () => me({ authorization: 'Basic YWRhOng=' })],
    ['no refresh token', () => refresh()],
    ['a wrong password', () => login({ email: ADA.email, password: 'wrong' })],
  ])('%s: the scheme without an error code', async (_, send) => {
    const response = await send();
    expect(response.statusCode).toBe(401);
    expect(response.headers['www-authenticate']).toBe(
      'Bearer realm="idcard", DPoP realm="idcard", algs="ES256 EdDSA"',
    );
  });

  test.each([
    ['a bad token', () => me(bearer('x.y.z'))],
    ['a scheme without a token', () => me({ authorization: 'Bearer' })],
    ['a bad cookie', () => me({ cookie: 'access=x' })],
    ['the same cookie twice', () => me({ cookie: 'access=x; access=y' })],
    ['a bad refresh token', () => refresh({}, { refresh_token: 'x' })],
    ['a bad refresh cookie', () => refresh({ cookie: 'refresh=x' })],
  ])('%s: invalid_token', async (_, send) => {
    const response = await send();
    expect(response.statusCode).toBe(401);
    expect(response.headers['www-authenticate']).toMatch(
      /^Bearer realm="idcard", error="invalid_token", error_description="[^"\\]+", DPoP realm="idcard", algs="ES256 EdDSA"$/,
    );
  });

  test('two credentials: 400 invalid_request', async () => {
    const response = await me({ ...bearer(token), cookie: 'access=x' });
    expect(response.statusCode).toBe(400);
    expect(response.headers['www-authenticate']).toMatch(/^Bearer realm="idcard", error="invalid_request"/);
  });

  test('no challenge stands on an answer that is neither', async () => {
    const answers = [await me(bearer(token)), await login({ email: 1 }), await idcard.app.inject('/nothing')];
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 400, 404]);
    expect(answers.map(({ headers }) => headers['www-authenticate'])).toEqual(Array(3).fill(undefined));
  });
});

describe('methods', () => {
  test.each([
    ['GET', '/v1/login', 'POST'],
    ['HEAD', '/v1/login', 'POST'],
    ['DELETE', '/v1/login?next=1', 'POST'],
    ['POST', '/v1/me', 'GET, HEAD'],
    ['POST', '/v1/me/password', 'PUT'],
    ['OPTIONS', '/livez', 'GET, HEAD'],
    ['TRACE', '/.well-known/jwks.json', 'GET, HEAD'],
    ['GET', '/v1/%6cogin', 'POST'],
  ] as const)('%s %s is 405, and Allow says %s', async (method, url, allow) => {
    const response = await idcard.app.inject({ method, url });
    expect(response.statusCode).toBe(405);
    expect(response.headers.allow).toBe(allow);
  });

  test.each([
    '/',
    '/nothing',
    '/v1/login/',
    '/V1/login',
    '//v1/login',
    '/*',
    '/a*b',
    '/:(',
    '/:x',
    '/:a(b|c)',
    '/v1/:x',
  ])('%s is 404 by any method, without Allow', async (url) => {
    for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS'] as const) {
      const response = await idcard.app.inject({ method, url });
      expect(response.statusCode).toBe(404);
      expect(response.headers.allow).toBeUndefined();
    }
  });

  test.each(['/v1/me', '/v1/verify', '/livez', '/readyz', '/.well-known/jwks.json', '/openapi.yaml'])(
    'HEAD %s is GET without a body',
    async (url) => {
      const headers = bearer(token);
      const { date: _, ...got } = (await idcard.app.inject({ url, headers })).headers;
      const response = await idcard.app.inject({ method: 'HEAD', url, headers });
      expect([response.statusCode, response.body]).toEqual([200, '']);
      expect(response.headers).toMatchObject(got);
    },
  );

  test('HEAD is locked where GET is', async () => {
    const response = await idcard.app.inject({ method: 'HEAD', url: '/v1/verify' });
    expect([response.statusCode, response.body]).toEqual([401, '']);
  });
});
