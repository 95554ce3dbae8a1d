import type { FastifyRequest } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readAuthorization } from '../../src/transports/bearer.ts';
import { addUser, createTestApp, logIn, type TestApp } from '../support/app.ts';

let idcard: TestApp;
let token: string;

beforeAll(async () => {
  idcard = await createTestApp();
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
  expect(both.json().errors).toEqual([{ pointer: '#/access_token', detail: 'There is no such field.' }]);
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

test('a second Authorization header is refused, also when Node has dropped it', () => {
  const rawHeaders = ['Host', 'localhost', 'Authorization', `Bearer ${token}`, 'authorization', 'Bearer x'];
  const request = {
    headers: { authorization: `Bearer ${token}` },
    raw: { rawHeaders },
  } as unknown as FastifyRequest;
  expect(() => readAuthorization(request)).toThrow('Send one credential');
});
