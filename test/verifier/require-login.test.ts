import Fastify, { type FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { sha256 } from '../../src/base/digest.ts';
import { StartupError } from '../../src/base/startup-error.ts';
import type { AccessClaims } from '../../src/proofs/tokens/claims.ts';
import { type IdcardOptions, idcard, type Requirement } from '../../src/verifier/index.ts';
import { createTestIssuer } from '../../src/verifier/testing.ts';
import { addUser, bearer, createTestApp, decode, logIn, START } from '../support/app.ts';
import { createProofKey, forgeProof } from '../support/dpop.ts';
import { createService } from './service.ts';

const time = { now: START };
const { options, mintToken } = createTestIssuer({ clock: () => time.now });
const publicUrl = 'https://shop.example.com/api';
const allowedOrigins = ['https://app.example.com'];

let app: FastifyInstance;
beforeAll(async () => {
  ({ app } = await createService({ ...options, publicUrl, allowedOrigins }));
});
afterAll(() => app.close());
afterEach(() => {
  time.now = START;
});

const ask = (url: string, claims?: Partial<AccessClaims>) =>
  app.inject({ url, headers: claims ? bearer(mintToken(claims)) : {} });
const challenge = (error: string, more = '') =>
  `Bearer realm="idcard", error="${error}", error_description="[^"]+"${more}, DPoP realm="idcard", algs="ES256 EdDSA"`;

describe('requireLogin', () => {
  test('lets in who is logged in, and the route has the claims, frozen', async () => {
    const response = await ask('/v1/me', { sub: 'ada', roles: ['admin'] });
    expect([response.statusCode, response.json()]).toEqual([
      200,
      expect.objectContaining({ sub: 'ada', roles: ['admin'], iss: options.issuer }),
    ]);
  });

  test('refuses who is not, with a challenge and no error code', async () => {
    const response = await ask('/v1/me');
    expect(response.statusCode).toBe(401);
    expect(response.headers).toMatchObject({
      'www-authenticate': 'Bearer realm="idcard", DPoP realm="idcard", algs="ES256 EdDSA"',
      'content-type': expect.stringMatching(/^application\/problem\+json/),
      'cache-control': 'no-store',
    });
    expect(response.json()).toMatchObject({ type: 'urn:idcard:problem:login-required', status: 401 });
  });

  test('takes a token until the second of its exp', async () => {
    const headers = bearer(mintToken());
    for (const [at, status] of [
      [START, 200],
      [START + 299, 200],
      [START + 300, 401],
    ] as const) {
      time.now = at;
      expect((await app.inject({ url: '/v1/me', headers })).statusCode).toBe(status);
    }
  });

  const requirements: [string, Partial<AccessClaims>, number, string | undefined][] = [
    ['/admin', { roles: ['admin'] }, 200, undefined],
    ['/admin', { roles: ['reader', 'owner'] }, 200, undefined],
    ['/admin', { roles: ['reader', 'Admin'] }, 403, undefined],
    ['/admin', { roles: [] }, 403, undefined],
    ['/books', { scope: 'books more account' }, 200, undefined],
    ['/books', { scope: 'account' }, 403, challenge('insufficient_scope', ', scope="account books"')],
    ['/books', { scope: 'accountbooks' }, 403, challenge('insufficient_scope', ', scope="account books"')],
    ['/books', { scope: '' }, 403, challenge('insufficient_scope', ', scope="account books"')],
    ['/recent', { auth_time: START - 60 }, 200, undefined],
    [
      '/recent',
      { auth_time: START - 61 },
      401,
      challenge('insufficient_user_authentication', ', max_age="60"'),
    ],
  ];
  test.each(requirements)('%s with %j is %i', async (url, claims, status, header) => {
    const response = await ask(url, claims);
    expect(response.statusCode).toBe(status);
    if (header === undefined) expect(response.headers['www-authenticate']).toBeUndefined();
    else expect(response.headers['www-authenticate']).toMatch(new RegExp(`^${header}$`));
    if (status !== 200)
      expect(response.json()).toMatchObject({ status, type: expect.stringMatching(/^urn:idcard:/) });
  });

  test('locks a whole scope, and a route in it may require more', async () => {
    expect((await ask('/locked')).statusCode).toBe(401);
    expect((await ask('/locked', {})).body).toBe('bearer');
    expect((await ask('/locked/admin', {})).statusCode).toBe(403);
    expect((await ask('/locked/admin?page=2', { sub: 'ada', roles: ['admin'] })).json()).toEqual({
      sub: 'ada',
      page: '2',
    });
  });

  test('leaves other errors to the service, and claims read without it are one', async () => {
    expect((await ask('/open', {})).body).toBe('the error handler of the service');
  });

  const mistakes: [unknown, string][] = [
    [{ role: 'admin' }, 'There is no requireLogin option role.'],
    [{ roles: [] }, 'The requireLogin option roles must be a list of roles, of which one is enough.'],
    [{ roles: 'admin' }, 'The requireLogin option roles must be a list of roles, of which one is enough.'],
    [{ scope: ['a'] }, 'The requireLogin option scope must be scopes separated by blanks.'],
    [{ scope: '' }, 'The requireLogin option scope must be scopes separated by blanks.'],
    [{ maxAge: -1 }, 'The requireLogin option maxAge must be a number of seconds.'],
  ];
  test.each(mistakes)('%j is refused where the route is declared', (requirement, message) => {
    expect(() => app.requireLogin(requirement as Requirement)).toThrow(message);
  });
});

describe('cookies', () => {
  const post = (headers: Record<string, string>) =>
    app.inject({
      method: 'POST',
      url: '/v1/logout-everywhere',
      headers: { cookie: `a=b; __Host-access=${mintToken()}`, ...headers },
    });
  test.each([
    [{}, 200],
    [{ 'sec-fetch-site': 'same-origin' }, 200],
    [{ origin: 'https://shop.example.com' }, 200],
    [{ origin: 'https://app.example.com', 'sec-fetch-site': 'same-site' }, 200],
    [{ origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }, 403],
    [{ origin: 'https://other.example.com', 'sec-fetch-site': 'same-site' }, 403],
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ origin: 'null' }, 403],
  ])('a POST with %j is %i', async (headers, status) => {
    expect((await post(headers)).statusCode).toBe(status);
  });

  const get = (headers: Record<string, string>, service = app) =>
    service.inject({ url: '/v1/me', headers: { cookie: `__Host-access=${mintToken()}`, ...headers } });
  test.each([
    [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, 200],
    [{ origin: 'https://app.example.com', 'sec-fetch-site': 'same-site' }, 200],
    [{ origin: 'https://evil.example' }, 403],
    [{ origin: 'https://other.example.com', 'sec-fetch-site': 'same-site' }, 403],
    [{ origin: 'https://shop.example.com', upgrade: 'websocket' }, 200],
    [{ origin: 'https://evil.example', upgrade: 'websocket' }, 403],
    [{ upgrade: 'websocket' }, 200],
    [{ 'sec-fetch-site': 'same-site', 'sec-websocket-version': '13' }, 403],
    [{ authorization: 'Basic YTpi' }, 200], // of a proxy in front
    [{ authorization: 'Basic YTpi', origin: 'https://evil.example' }, 403],
    [{ authorization: 'Bearer x' }, 400],
  ])('a GET with %j is %i', async (headers, status) => {
    expect((await get(headers)).statusCode).toBe(status);
  });

  test('a service that does not know its own address says what to set', async () => {
    const { app: plain } = await createService(options);
    const response = await get({ origin: 'https://shop.example.com', upgrade: 'websocket' }, plain);
    expect(response.statusCode).toBe(403);
    expect(response.json()).toMatchObject({
      type: 'urn:idcard:problem:cross-site-request',
      detail: expect.stringMatching(/publicUrl.*allowedOrigins/),
    });
    await plain.close();
    const elsewhere = await get({ origin: 'https://evil.example', upgrade: 'websocket' });
    expect(elsewhere.json().detail).not.toMatch(/publicUrl/);
  });
});

describe('tokens that are bound to a key', () => {
  const key = createProofKey();
  const other = createProofKey('EdDSA');
  const token = () => mintToken({ cnf: { jkt: key.jkt }, roles: ['admin'] });
  const htu = `${publicUrl}/locked/admin`;
  const show = (accessToken: string, dpop?: string) =>
    app.inject({
      url: '/locked/admin?page=1',
      headers: { authorization: `DPoP ${accessToken}`, ...(dpop && { dpop }) },
    });
  const proof = (accessToken: string, claims: object = {}, by = key) =>
    forgeProof(by, { htm: 'GET', htu, ath: sha256(accessToken), ...claims });

  test('need a proof with the nonce of this service, which is good for both hooks of a request', async () => {
    const bound = token();
    const first = await show(bound, proof(bound));
    expect([first.statusCode, first.json().error]).toEqual([401, 'use_dpop_nonce']);
    const nonce = first.headers['dpop-nonce'];
    const good = proof(bound, { nonce });
    const second = await show(bound, good);
    expect([second.statusCode, second.headers['dpop-nonce']]).toEqual([200, nonce]);
    expect((await show(bound, good)).json().error).toBe('invalid_dpop_proof'); // used
    expect(
      (await show(bound, proof(bound, { nonce, htu: 'https://shop.example.com/locked/admin' }))).json().error,
    ).toBe('invalid_dpop_proof');
    expect((await show(bound, proof(bound, { nonce }, other))).statusCode).toBe(401);
    expect((await show(bound)).json().error).toBe('invalid_dpop_proof');
    const asBearer = await app.inject({ url: '/locked/admin', headers: bearer(bound) });
    expect(asBearer.statusCode).toBe(401);
  });

  test('are refused where it is not known which address a proof must be for, and DPoP is not offered there', async () => {
    const { app: plain } = await createService(options);
    const response = await plain.inject({ url: '/v1/me', headers: { authorization: `DPoP ${token()}` } });
    expect(response.statusCode).toBe(401);
    expect(response.headers['www-authenticate']).toMatch(
      /^Bearer realm="idcard", error="invalid_token", [^,]+$/,
    );
    await plain.close();
  });

  test('can be required', async () => {
    const { app: strict } = await createService({ ...options, publicUrl, requireDpop: true });
    expect((await strict.inject({ url: '/v1/me', headers: bearer(mintToken()) })).statusCode).toBe(401);
    await strict.close();
  });

  test('are served by every replica that shares the secret of the nonces', async () => {
    const shared = { ...options, publicUrl, dpopNonceSecret: Buffer.alloc(32, 7).toString('base64url') };
    const [{ app: one }, { app: two }] = [await createService(shared), await createService(shared)];
    const bound = token();
    const nonceOf = async (service: FastifyInstance) => {
      const headers = { authorization: `DPoP ${bound}`, dpop: proof(bound) };
      return (await service.inject({ url: '/locked/admin', headers })).headers['dpop-nonce'];
    };
    expect(await nonceOf(one)).toBe(await nonceOf(two));
    expect(await nonceOf(one)).not.toBe(await nonceOf(app));
    await Promise.all([one.close(), two.close()]);
  });
});

describe('an option that makes no sense stops the start with one sentence', () => {
  const good = { issuer: 'https://login.example.com', audience: 'api' };
  test.each<[Record<string, unknown>, string]>([
    [
      {},
      'The idcard option issuer must be an address like https://login.example.com or https://example.com/auth.',
    ],
    [
      { ...good, issuer: 'login' },
      'The idcard option issuer must be an address like https://login.example.com or https://example.com/auth.',
    ],
    [
      { ...good, internalUrl: 'idcard:3000' },
      'The idcard option internalUrl must be an address like http://idcard:3000.',
    ],
    [
      { ...good, internalUrl: 'http://ada:secret@idcard:3000' },
      'The idcard option internalUrl must be an address like http://idcard:3000, without a user or a password.',
    ],
    [
      { ...good, issuer: 'http://login.example.com' },
      'The idcard option issuer must be an https address: keys that come without TLS may be anybody’s.',
    ],
    [
      { ...good, issuer: 'http://localhost.example.com' },
      'The idcard option issuer must be an https address: keys that come without TLS may be anybody’s.',
    ],
    [{ issuer: good.issuer }, 'The idcard option audience must be a text.'],
    [
      { ...good, publicUrl: 'https://a.example/' },
      'The idcard option publicUrl must be an address like https://api.example.com, without a slash at its end.',
    ],
    [
      { ...good, publicUrl: 'https://a.example/x?y' },
      'The idcard option publicUrl must be an address like https://api.example.com, without a slash at its end.',
    ],
    [
      { ...good, allowedOrigins: ['*'] },
      'The idcard option allowedOrigins must be a list of addresses like https://app.example.com, without a path.',
    ],
    [{ ...good, requireDpop: true }, 'The idcard option publicUrl must be set where requireDpop is.'],
    [
      { ...good, dpopNonceSecret: 'secret' },
      'The idcard option dpopNonceSecret must be at least 32 random bytes in base64url.',
    ],
    [
      { ...good, revocationPollSeconds: 0 },
      'The idcard option revocationPollSeconds must be a whole number of seconds from 1 to 60.',
    ],
    [{ ...good, clock: 5 }, 'The idcard option clock must be a function.'],
    [{ ...good, jwksUri: 'https://a.example' }, 'There is no idcard option jwksUri.'],
  ])('%j', async (given, message) => {
    const service = Fastify();
    await expect(service.register(idcard, given as IdcardOptions)).rejects.toThrow(new StartupError(message));
    await service.close();
  });
});

describe('the test issuer', () => {
  test('makes tokens that nobody can tell from those of a server', async () => {
    const server = await createTestApp();
    await addUser(server);
    const { access_token: real } = await logIn(server);
    const minted = mintToken();
    const shape = (token: string, part: 0 | 1) =>
      Object.entries(decode(token, part)).map(([name, value]) => [name, typeof value]);
    for (const part of [0, 1] as const) expect(shape(minted, part)).toEqual(shape(real, part));
    for (const name of ['client_id', 'scope', 'amr', 'ver', 'roles'])
      expect(decode(minted)[name], name).toEqual(decode(real)[name]);
    await server.close();
  });

  test('asks nobody', async () => {
    const asked = vi.spyOn(globalThis, 'fetch');
    const { app: service } = await createService(options);
    expect((await service.inject({ url: '/v1/me', headers: bearer(mintToken()) })).statusCode).toBe(200);
    expect(service.idcard.state()).toEqual({ keys: 'current', revocations: 'current' });
    await service.close();
    expect(asked).not.toHaveBeenCalled();
    asked.mockRestore();
  });

  test('is not to be had in production', () => {
    vi.stubEnv('NODE_ENV', 'production');
    expect(() => createTestIssuer()).toThrow('not in production');
    vi.unstubAllEnvs();
  });
});
