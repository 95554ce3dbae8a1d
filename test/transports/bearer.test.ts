import type { FastifyRequest } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readAuthorization } from '../../src/transports/bearer.ts';
import { ADA, addUser, createTestApp, logIn, logInWithCookies, type TestApp } from '../support/app.ts';

let idcard: TestApp;
let token: string;

beforeAll(async () => {
  idcard = await createTestApp({ env: { RATE_LIMITS: 'off' } });
  await addUser(idcard);
  ({ access_token: token } = await logIn(idcard));
});
afterAll(() => idcard.close());

const verify = (authorization: string) =>
  idcard.app.inject({ url: '/v1/verify', headers: { authorization } });

test('a login answers with the token response of RFC 6749', async () => {
  expect(await logIn(idcard)).toEqual({
    access_token: expect.any(String),
    token_type: 'Bearer',
    expires_in: 300,
    refresh_token: expect.any(String),
    refresh_expires_in: 604_800,
    scope: 'account',
    device_token: expect.any(String),
  });
});

test.each(['Bearer', 'bearer', 'BEARER'])('the scheme is known in any case: %s', async (scheme) => {
  expect((await verify(`${scheme} ${token}`)).statusCode).toBe(200);
});

test.each(['Bearer', 'Bearer ', 'Bearer  '])(
  'a scheme with nothing behind it is no token: "%s"',
  async (header) => {
    const response = await verify(header);
    expect(response.statusCode).toBe(401);
    expect(response.headers['www-authenticate']).toMatch(/error="invalid_token"/);
  },
);

test.each(['', 'Basic YTpi', 'Token x', 'DPoPX x', 'BearerX y'])(
  'another method is answered like no credentials at all: "%s"',
  async (header) => {
    const response = await verify(header);
    expect(response.statusCode).toBe(401);
    expect(response.headers['www-authenticate']).toBe(
      'Bearer realm="idcard", DPoP realm="idcard", algs="ES256 EdDSA"',
    );
  },
);

test('no credentials are answered with a challenge without an error code', async () => {
  const response = await idcard.app.inject({ url: '/v1/verify' });
  expect(response.statusCode).toBe(401);
  expect(response.headers['www-authenticate']).toBe(
    'Bearer realm="idcard", DPoP realm="idcard", algs="ES256 EdDSA"',
  );
  expect(response.json().type).toBe('urn:idcard:problem:login-required');
});

test('a token in the query is refused, with a header or without', async () => {
  const url = `/v1/verify?access_token=${token}`;
  expect((await idcard.app.inject({ url })).statusCode).toBe(401);
  const both = await idcard.app.inject({ url, headers: { authorization: `Bearer ${token}` } });
  expect(both.statusCode).toBe(400);
  expect(both.json().errors).toMatchObject([
    { pointer: '#/access_token', detail: expect.stringMatching(/^There is no such field; /) },
  ]);
});

test('a token in a form is refused', async () => {
  const response = await idcard.app.inject({
    method: 'POST',
    url: '/v1/logout-everywhere',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: `access_token=${token}`,
  });
  expect(response.statusCode).toBe(401);
});

describe('a second Authorization header', () => {
  const read = (...headers: string[]) => {
    const rawHeaders = ['Host', 'localhost', ...headers.flatMap((value) => ['authorization', value])];
    return readAuthorization({ raw: { rawHeaders } } as unknown as FastifyRequest);
  };

  test.each([
    ['Bearer a', 'Bearer b'],
    ['Bearer a', 'Basic YTpi'],
    ['Basic YTpi', 'Bearer a'],
    ['Basic YTpi', 'Negotiate x', 'dpop a'],
    ['Basic YTpi', 'Bearer'],
  ])('is refused where one is ours, also when Node has dropped it: %j', (...headers) => {
    expect(() => read(...headers)).toThrow('Send one credential');
  });

  test('is no business of ours where none is', () => {
    expect(read('Basic YTpi', 'Negotiate x')).toBeUndefined();
  });
});

describe.each([
  'Basic YTpi',
  'basic YTpi',
  'Digest username="a", realm="b"',
  'Negotiate YII=',
  'AWS4-HMAC-SHA256 Credential=a',
  'BearerX y',
  '',
])('a header of somebody else, %j, is ignored', (authorization) => {
  const inject = (method: 'GET' | 'POST' | 'PUT', url: string, headers: object, body?: object) =>
    idcard.app.inject({ method, url, headers: { authorization, ...headers }, ...(body && { body }) });

  test('beside a cookie', async () => {
    const cookie = await logInWithCookies(idcard);
    expect((await inject('GET', '/v1/me', { cookie })).statusCode).toBe(200);
    expect((await inject('GET', '/v1/verify', { cookie })).statusCode).toBe(200);
    expect((await inject('POST', '/v1/refresh', { cookie })).statusCode).toBe(204);
    expect((await inject('POST', '/v1/logout', { cookie })).statusCode).toBe(204);
    expect(idcard.log().at(-1)).toMatchObject({ event: 'logout', sub: expect.any(String) });
  });

  test('beside a body', async () => {
    const { refresh_token } = await logIn(idcard);
    expect((await inject('POST', '/v1/refresh', {}, { refresh_token })).statusCode).toBe(200);
    const login = await inject('POST', '/v1/login', {}, { ...ADA, transport: 'cookie' });
    expect(login.statusCode).toBe(204);
  });

  test('and does not take the check of the site away', async () => {
    const headers = { cookie: await logInWithCookies(idcard), origin: 'https://evil.example' };
    for (const [method, url] of [
      ['GET', '/v1/me'],
      ['POST', '/v1/refresh'],
      ['POST', '/v1/logout-everywhere'],
    ] as const)
      expect((await inject(method, url, headers)).statusCode).toBe(403);
  });
});
