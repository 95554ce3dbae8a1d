import { generateKeyPairSync } from 'node:crypto';
import Fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTransports } from '../src/transports/index.ts';
import { idcard as idcardVerifier } from '../src/verifier/index.ts';
import { createTestIssuer } from '../src/verifier/testing.ts';
import {
  ADA,
  addUser,
  bearer,
  createTestApp,
  logIn,
  logInWithCookies,
  START,
  type TestApp,
} from './support/app.ts';
import { createProofKey, fetchNonce, forgeProof, logInBound, ORIGIN, proofClaims } from './support/dpop.ts';
import {
  ACCESS_CLAIMS,
  base64url,
  es256,
  forge,
  forgeAccess,
  forgeRefresh,
  keyOf,
  unsigned,
} from './support/forge.ts';

const KID = /"[\w-]{43}"/.source;
const FOREIGN_KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

let idcard: TestApp;
let sub: string;
let cookie: string;
beforeAll(async () => {
  const env = { LOG_LEVEL: 'debug', ALLOWED_ORIGINS: 'https://app.example.com', RATE_LIMITS: 'off' };
  idcard = await createTestApp({ env });
  sub = (await addUser(idcard)).id;
  cookie = await logInWithCookies(idcard);
});
afterAll(() => idcard.close());

interface Sent {
  method?: 'GET' | 'POST' | 'PUT';
  url?: string;
  headers?: Record<string, string>;
  body?: object;
}

/** The reason that the log gives; the answer does not repeat what the request held. */
async function reasonOf({ url = '/v1/verify', ...sent }: Sent, status = 401): Promise<unknown> {
  const { body = undefined, ...rest } = sent;
  const response = await idcard.app.inject({ url, ...rest, ...(body && { payload: body }) });
  expect(response.statusCode).toBe(status);
  const lines = idcard.log().filter(({ request_id }) => request_id === response.headers['x-request-id']);
  const { event, address, reason, ...line } = lines.find((one) => one.event === 'request.refused') ?? {};
  expect({ event, address, status: line.status }).toEqual({
    event: 'request.refused',
    address: '127.0.0.1',
    status,
  });
  expect(response.body).not.toContain(reason);
  return reason;
}

describe('an access token', () => {
  test.each<[string, () => string, string]>([
    [
      'for another audience',
      () => forgeAccess(idcard.jwks, { aud: 'x' }),
      'wrong audience: "x", expected "api"',
    ],
    [
      'for several others',
      () => forgeAccess(idcard.jwks, { aud: ['x', 'y'] }),
      'wrong audience: \\["x","y"\\], expected "api"',
    ],
    [
      'of another issuer',
      () => forgeAccess(idcard.jwks, { iss: 'http://localhost:3000/' }),
      'wrong issuer: "http://localhost:3000/", expected "http://localhost:3000"',
    ],
    [
      'that has expired',
      () => forgeAccess(idcard.jwks, { iat: START - 320, exp: START - 20 }),
      'expired 20 s ago',
    ],
    [
      'older than the settings allow',
      () => forgeAccess(idcard.jwks, { iat: START - 400, exp: START + 20 }),
      'issued 400 s ago, at most 300 s expected by the lifetimes of today',
    ],
    [
      'from the future',
      () => forgeAccess(idcard.jwks, { iat: START + 60 }),
      'issued in the future, or good from then on: 60 s ahead of this clock',
    ],
    [
      'good from a later moment',
      () => forgeAccess(idcard.jwks, { nbf: START + 70 }),
      'issued in the future, or good from then on: 70 s ahead of this clock',
    ],
    [
      'of an unknown key',
      () => forgeAccess(idcard.jwks, {}, { kid: 'k1' }),
      'unknown key id "k1", or one that is retired',
    ],
    [
      'by the secret of refresh tokens',
      () => forgeRefresh(idcard.jwks, ACCESS_CLAIMS, { typ: 'at+jwt' }),
      `wrong key: ${KID} signs refresh tokens, expected one for access tokens`,
    ],
    [
      'of another algorithm',
      () => forgeAccess(idcard.jwks, {}, { alg: 'none' }),
      'wrong algorithm: "none", expected "ES256"',
    ],
    [
      'that is a refresh token',
      () => forgeRefresh(idcard.jwks),
      'wrong type: "rt\\+jwt", that of refresh tokens, expected "at\\+jwt"',
    ],
    [
      'that is an ID token',
      () => forgeAccess(idcard.jwks, {}, { typ: 'JWT' }),
      'wrong type: "JWT", expected "at\\+jwt"',
    ],
    [
      'without a type',
      () => forgeAccess(idcard.jwks, {}, { typ: undefined }),
      'wrong type: none, expected "at\\+jwt"',
    ],
    [
      'with a bad signature',
      () =>
        forge(
          { alg: 'ES256', typ: 'at+jwt', kid: keyOf(idcard.jwks, 'EC').kid },
          ACCESS_CLAIMS,
          es256(FOREIGN_KEY),
        ),
      'bad signature: not signed by the key that it names, or changed since',
    ],
    [
      'with a payload that is no JSON',
      () =>
        forge({ alg: 'ES256', typ: 'at+jwt', kid: keyOf(idcard.jwks, 'EC').kid }, 'x', es256(FOREIGN_KEY)),
      'malformed: its payload cannot be read',
    ],
    [
      'that was cut short',
      () => forgeAccess(idcard.jwks).slice(0, -10),
      'bad signature: not signed by the key that it names, or changed since',
    ],
    [
      'without a signature',
      () => forgeAccess(idcard.jwks).replace(/[^.]*$/, ''),
      'bad signature: not signed by the key that it names, or changed since',
    ],
    [
      'without a claim',
      () => forgeAccess(idcard.jwks, { aud: undefined }),
      'malformed: the claim "aud" is missing',
    ],
    [
      'with a claim of another type',
      () => forgeAccess(idcard.jwks, { roles: 'admin' }),
      'malformed: the claim "roles": Invalid input: expected array, received string',
    ],
    [
      'with a critical extension',
      () => forgeAccess(idcard.jwks, {}, { crit: ['x'] }),
      'malformed: its header has alg "ES256", kid .+',
    ],
    [
      'with a header that is no JSON',
      () => forge('x', {}, unsigned),
      'malformed: its header is no JSON object',
    ],
    [
      'with a header that is null',
      () => forge('null', {}, unsigned),
      'malformed: its header is no JSON object',
    ],
    ['of one part', () => 'x', 'malformed: 1 part between dots, expected 3'],
    ['of two parts', () => 'x.y', 'malformed: 2 parts between dots, expected 3'],
    ['in quotes', () => `"${forgeAccess(idcard.jwks)}"`, 'malformed: a part is no base64url'],
    ['too long', () => 'x'.repeat(5000), 'malformed: 5000 characters, at most 4096 expected'],
  ])('%s', async (_, token, reason) => {
    expect(await reasonOf({ headers: bearer(token()) })).toMatch(new RegExp(`^${reason}$`));
  });

  test('whose user has logged out everywhere', async () => {
    const other = { email: 'bob@example.com', password: ADA.password };
    const { id } = await addUser(idcard, other);
    const { access_token, refresh_token } = await logIn(idcard, other);
    await idcard.directory.updateAndVoidTokens(id, {});
    await idcard.app.pollRevocations();
    expect(await reasonOf({ headers: bearer(access_token) })).toBe(
      `revoked: it has version 1 of "${id}", which was voided since`,
    );
    const refresh = { method: 'POST', url: '/v1/refresh', body: { refresh_token } } as const;
    expect(await reasonOf(refresh)).toBe(
      `revoked: it has version 1 of "${id}", who is active with version 2`,
    );
    await idcard.directory.updateAndVoidTokens(id, { status: 'disabled' });
    expect(await reasonOf(refresh)).toBe(
      `revoked: it has version 1 of "${id}", who is disabled with version 3`,
    );
  });
});

describe('a refresh token', () => {
  const refresh = (refresh_token?: string) =>
    reasonOf({ method: 'POST', url: '/v1/refresh', body: { refresh_token } });

  test('of nobody, of a login that is too old, or none at all', async () => {
    const { sub: nobody } = ACCESS_CLAIMS;
    expect(await refresh(forgeRefresh(idcard.jwks))).toBe(
      `revoked: it has version 1 of "${nobody}", who is not there`,
    );
    expect(await refresh(forgeRefresh(idcard.jwks, { auth_time: START - 2_592_001 }))).toBe(
      'logged in 2592001 s ago, at most 2592000 s expected',
    );
    expect(await refresh()).toBe('no refresh token: neither in the body nor in a cookie');
  });
});

describe('the credentials', () => {
  test.each<[string, Record<string, string>, string]>([
    ['none', {}, 'no credentials: neither an Authorization header nor a cookie'],
    [
      'a token without its scheme',
      { authorization: 'eyJhbGciOi.x.y' },
      'no credentials: the Authorization header has no scheme of ours before the token',
    ],
    ['other cookies', { cookie: 'a=b' }, 'no credentials: none of the cookies is ours for it'],
    [
      'a scheme without a token',
      { authorization: 'Bearer ' },
      'no token stands behind the scheme of the Authorization header',
    ],
  ])('%s', async (_, headers, reason) => {
    expect(await reasonOf({ headers })).toBe(reason);
  });

  test('by both transports', async () => {
    const { access_token, refresh_token } = await logIn(idcard);
    const both = { ...bearer(access_token), cookie };
    expect(await reasonOf({ headers: both }, 400)).toBe('an Authorization header and an access cookie');
    const refresh = {
      method: 'POST',
      url: '/v1/refresh',
      headers: { cookie },
      body: { refresh_token },
    } as const;
    expect(await reasonOf(refresh, 400)).toBe(
      'a refresh cookie, and a body field or an Authorization header',
    );
  });

  test('by two Authorization headers, of which Node.js shows one', () => {
    const rawHeaders = ['Authorization', 'Bearer a', 'authorization', 'Bearer b'];
    const request = { raw: { rawHeaders }, headers: {} } as never;
    const refused = () => createTransports('https://login.example.com', []).receiveAccessToken(request);
    expect(refused).toThrow(
      expect.objectContaining({
        reason: expect.toSatisfy((reason) => reason() === 'two Authorization headers'),
      }),
    );
  });

  test('of another site', async () => {
    const headers = { cookie, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
    const expected = 'expected an Origin of http://localhost:3000, https://app.example.com';
    const what = 'Sec-Fetch-Site "cross-site", Origin "https://evil.example"';
    expect(await reasonOf({ url: '/v1/me', headers }, 403)).toBe(
      `cookie refused as another site’s: GET with ${what}, ${expected}`,
    );
    const { origin: _, ...withoutOrigin } = headers;
    const login = {
      method: 'POST',
      url: '/v1/login',
      headers: withoutOrigin,
      body: { ...ADA, transport: 'cookie' },
    } as const;
    expect(await reasonOf(login, 403)).toBe(
      `cookie refused as another site’s: POST with Sec-Fetch-Site "cross-site", Origin none, ${expected}`,
    );
  });

  test('by a password', async () => {
    const login = (body: object) => reasonOf({ method: 'POST', url: '/v1/login', body });
    expect(await login({ ...ADA, email: 'nobody@example.com' })).toBe('there is no user with this email');
    expect(await login({ ...ADA, password: 'wrong horse battery staple' })).toBe('wrong password');
    const disabled = { email: 'disabled@example.com', password: ADA.password };
    const { id } = await addUser(idcard, disabled);
    await idcard.directory.update(id, { status: 'disabled' });
    expect(await login(disabled)).toBe('the user is disabled');
    await idcard.directory.add({ email: 'none@example.com', passwordHash: null, roles: [] });
    expect(await login({ ...ADA, email: 'none@example.com' })).toBe('the user has no password');
    expect(idcard.logText()).not.toContain('@');
  });
});

describe('what a token may', () => {
  test('a role that is missing, and a login that is too old', async () => {
    const { access_token } = await logIn(idcard);
    const headers = bearer(access_token);
    expect(await reasonOf({ url: '/v1/verify?role=staff&role=boss', headers }, 403)).toBe(
      'the roles are [], one is needed of ["staff","boss"]',
    );
    const old = forgeAccess(idcard.jwks, { auth_time: START - 400, sub });
    expect(await reasonOf({ url: '/v1/verify?max_age=300', headers: bearer(old) })).toBe(
      'logged in 400 s ago, at most 300 s are allowed here',
    );
  });
});

describe('a DPoP proof', () => {
  const key = createProofKey();
  let bound: string;
  let nonce: string;
  beforeAll(async () => {
    bound = (await logInBound(idcard, key)).access_token;
    nonce = await fetchNonce(idcard);
  });
  const claims = (changed: object = {}) => ({
    ...proofClaims('GET', '/v1/verify', nonce, bound),
    ...changed,
  });
  const use = (dpop: string) => reasonOf({ headers: { authorization: `DPoP ${bound}`, dpop } });

  test.each<[string, () => string, string]>([
    [
      'for another method',
      () => forgeProof(key, claims({ htm: 'POST' })),
      'DPoP proof for another method (htm): "POST", expected "GET"',
    ],
    [
      'for another address',
      () => forgeProof(key, claims({ htu: `${ORIGIN}/v1/me?token=secret` })),
      `DPoP proof for another address (htu): "${ORIGIN}/v1/me", expected "${ORIGIN}/v1/verify"`,
    ],
    ...[
      'http://ada:secret@localhost:3000',
      'http:ada:secret@localhost:3000',
      'HTTP:\\\\ada:secret@localhost:3000',
    ].map((origin): [string, () => string, string] => [
      `for an address with a password, ${origin}`,
      () => forgeProof(key, claims({ htu: `${origin}/v1/verify` })),
      `DPoP proof for another address (htu): "${origin.slice(0, 5)}//localhost:3000/v1/verify", expected "${ORIGIN}/v1/verify"`,
    ]),
    [
      'for no address',
      () => forgeProof(key, claims({ htu: 'x' })),
      `DPoP proof for another address (htu): "x", expected "${ORIGIN}/v1/verify"`,
    ],
    [
      'for another token',
      () => forgeProof(key, claims({ ath: 'x' })),
      'DPoP proof for another access token (ath): "x" is not the SHA-256 of the token',
    ],
    [
      'without a nonce',
      () => forgeProof(key, claims({ nonce: undefined })),
      'DPoP proof without a nonce; the answer has one',
    ],
    [
      'with an old nonce',
      () => forgeProof(key, claims({ nonce: 'x' })),
      'DPoP proof with a nonce that is too old, or none of this server; the answer has one',
    ],
    ['that is no JWS', () => 'x', 'DPoP proof: malformed: 1 part between dots, expected 3'],
    [
      'of another type',
      () => forgeProof(key, claims(), { typ: 'JWT' }),
      'DPoP proof: its header has typ "JWT", alg "ES256", kty "EC"; expected are "dpop+jwt", ES256 or EdDSA, and a public key (jwk) for it, alone',
    ],
    [
      'without a claim',
      () => forgeProof(key, { ...claims(), jti: undefined }),
      'DPoP proof: malformed: the claim "jti" is missing',
    ],
    [
      'signed by another key',
      () => forgeProof(key, claims(), {}, es256(FOREIGN_KEY)),
      'DPoP proof: bad signature: not signed by the key that it brings, or changed since',
    ],
  ])('%s', async (_, proof, reason) => {
    expect(await use(proof())).toBe(reason);
  });

  test('used twice, or by another key than the token’s', async () => {
    const proof = forgeProof(key, claims({ jti: 'once' }));
    const headers = { authorization: `DPoP ${bound}`, dpop: proof };
    expect((await idcard.app.inject({ url: '/v1/verify', headers })).statusCode).toBe(200);
    expect(await use(proof)).toBe('DPoP proof used before: jti "once"');
    const other = createProofKey();
    const expected = `DPoP proof by another key: thumbprint "${other.jkt}", expected "${key.jkt}"`;
    expect(await use(forgeProof(other, claims()))).toBe(expected);
    expect(await use(forgeProof(key, claims(), { jwk: { ...key.jwk, d: 'secret' } }))).toContain('kty "EC"');
    expect(idcard.logText()).not.toContain('secret');
  });
});

test('what a token says cannot forge a line, nor steer a terminal, nor fill the log', async () => {
  const evil = `\n{"event":"login.succeeded"}\u001b[2J\u009b\u202e\u2028${'a'.repeat(1000)}`;
  for (const token of [
    forgeAccess(idcard.jwks, {}, { kid: evil.slice(0, 100) }),
    forgeAccess(idcard.jwks, {}, { typ: evil }),
    forgeAccess(idcard.jwks, { aud: evil }),
    forgeAccess(idcard.jwks, { iss: '\ud800'.repeat(500) }),
  ]) {
    const reason = String(await reasonOf({ headers: bearer(token) }));
    expect(reason.length).toBeLessThan(600);
    expect(reason).not.toMatch(/[\p{C}\p{Zl}]/u);
  }
});

test('a part of the token is in no line', async () => {
  const token = forgeAccess(idcard.jwks, { aud: 'x' });
  await reasonOf({ headers: bearer(token) });
  for (const part of token.split('.')) expect(idcard.logText()).not.toContain(part);
  expect(base64url('x')).toBe('eA');
});

test('a service that verifies gives the same reasons', async () => {
  const lines: string[] = [];
  const stream = { write: (line: string) => void lines.push(line) };
  const issuer = createTestIssuer({ clock: () => START });
  const service = Fastify({ logger: { level: 'debug', stream } });
  await service.register(idcardVerifier, issuer.options);
  service.get('/', { onRequest: service.requireLogin() }, async () => 'in');
  service.get('/books', { onRequest: service.requireLogin({ scope: 'books' }) }, async () => 'in');
  const reason = async (url: string, headers: Record<string, string>) => {
    lines.length = 0;
    await service.inject({ url, headers });
    const refusals = lines.map((line) => JSON.parse(line)).filter(({ event }) => event === 'idcard.refused');
    return refusals.map((line) => [line.status, line.problem, line.reason]);
  };
  const invalid = (text: string) => [[401, 'invalid-token', text]];
  expect(await reason('/', bearer(issuer.mintToken({ aud: 'x' })))).toEqual(
    invalid('wrong audience: "x", expected "test"'),
  );
  expect(await reason('/', bearer(issuer.mintToken({ exp: START - 5 })))).toEqual(invalid('expired 5 s ago'));
  expect(await reason('/', {})).toEqual([
    [401, 'login-required', 'no credentials: neither an Authorization header nor a cookie'],
  ]);
  expect(await reason('/books', bearer(issuer.mintToken()))).toEqual([
    [403, 'insufficient-scope', 'the scopes are "account", needed are "books"'],
  ]);
  const evil = { cookie: `__Host-access=${issuer.mintToken()}`, origin: 'https://evil.example' };
  const what = 'GET with Sec-Fetch-Site none, Origin "https://evil.example"';
  expect(await reason('/', evil)).toEqual([
    [403, 'cross-site-request', `cookie refused as another site’s: ${what}, expected none of another origin`],
  ]);
  expect(await reason('/', bearer(issuer.mintToken()))).toEqual([]);
  await service.close();
});

test('a service that is told of another issuer says why it does not take its list', async () => {
  const lines: string[] = [];
  const stream = { write: (line: string) => void lines.push(line) };
  const { options } = createTestIssuer({ clock: () => START });
  const service = Fastify({ logger: { level: 'warn', stream } });
  await service.register(idcardVerifier, { ...options, issuer: 'https://other.test' });
  await service.ready();
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    {
      event: 'idcard.revocations.stale',
      reason: 'wrong issuer: "https://idcard.test", expected "https://other.test"',
    },
  ]);
  await service.close();
});
