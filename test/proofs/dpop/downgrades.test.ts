import type { LightMyRequestResponse } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sha256 } from '../../../src/base/digest.ts';
import { ADA, addUser, BOB, createTestApp, logIn, type TestApp, type TokenBody } from '../../support/app.ts';
import {
  createProofKey,
  expectRefusal,
  fetchNonce,
  logInBound,
  logInBoundWithCookies,
  type ProofKey,
} from '../../support/dpop.ts';
import { proofFor, type Target } from '../../support/dpop-forgeries.ts';

let idcard: TestApp;
let key: ProofKey;
/** Tokens of the key, of the same key for another user, of nobody's key; and the first ones as cookies. */
let bound: TokenBody;
let bobs: TokenBody;
let unbound: TokenBody;
let cookie: string;
let nonce: string;

beforeAll(async () => {
  idcard = await createTestApp();
  await addUser(idcard);
  await addUser(idcard, BOB);
  key = createProofKey();
  bound = await logInBound(idcard, key);
  bobs = await logInBound(idcard, key, BOB);
  unbound = await logIn(idcard);
  cookie = await logInBoundWithCookies(idcard, key);
  nonce = await fetchNonce(idcard);
});
afterAll(() => idcard.close());

const target = (htm: string, path: string, token?: string, of = key): Target => ({
  htm,
  path,
  ath: token === undefined ? {} : { ath: sha256(token) },
  nonce,
  key: of,
  tokens: bound,
  jwks: idcard.jwks,
});
const login = () => target('POST', '/v1/login');
const renewal = (of = key) => target('POST', '/v1/refresh', undefined, of);
const refresh = async (refresh_token: string, dpop?: string) =>
  idcard.app.inject({
    method: 'POST',
    url: '/v1/refresh',
    headers: dpop === undefined ? {} : { dpop },
    body: { refresh_token },
  });

const routes = [
  ['GET', '/v1/verify'],
  ['GET', '/v1/me'],
  ['HEAD', '/v1/me'],
  ['PUT', '/v1/me/password'],
  ['POST', '/v1/logout-everywhere'],
] as const;

type Credentials = Record<string, string>;
type Place = (token: string, of?: ProofKey) => Target;
type Attempt = [headers: (at: Place) => Credentials, error: string, scheme: 'Bearer' | 'DPoP'];
const dpopWith = (token: string, dpop?: string): Credentials => ({
  authorization: `DPoP ${token}`,
  ...(dpop !== undefined && { dpop }),
});
const downgrades: Record<string, Attempt> = {
  'RFC 9449 §7.2: a bound token as Bearer': [
    () => ({ authorization: `Bearer ${bound.access_token}` }),
    'invalid_token',
    'Bearer',
  ],
  'RFC 9449 §7.2: a bound token as Bearer, with its proof': [
    (at) => ({ authorization: `Bearer ${bound.access_token}`, dpop: proofFor(at(bound.access_token)) }),
    'invalid_token',
    'Bearer',
  ],
  'RFC 9449 §7.1: a bound token without proof': [
    () => dpopWith(bound.access_token),
    'invalid_dpop_proof',
    'DPoP',
  ],
  'RFC 9449 §7.1: a bound token in the scheme "dpop" without proof': [
    () => ({ authorization: `dpop ${bound.access_token}` }),
    'invalid_dpop_proof',
    'DPoP',
  ],
  'a bound cookie without proof': [() => ({ cookie }), 'invalid_dpop_proof', 'DPoP'],
  'a bound cookie with the proof for another token': [
    (at) => ({ cookie, dpop: proofFor(at(bound.access_token)) }),
    'invalid_dpop_proof',
    'DPoP',
  ],
  'RFC 9449 §7.1: an unbound token in the DPoP scheme': [
    () => dpopWith(unbound.access_token),
    'invalid_token',
    'DPoP',
  ],
  'RFC 9449 §7.1: an unbound token in the DPoP scheme, with a proof': [
    (at) => dpopWith(unbound.access_token, proofFor(at(unbound.access_token))),
    'invalid_token',
    'DPoP',
  ],
  'RFC 9449 §7.1: a token of one key with the proof of another': [
    (at) => dpopWith(bound.access_token, proofFor(at(bound.access_token, createProofKey()))),
    'invalid_token',
    'DPoP',
  ],
  'RFC 9449 §7: the proof for another token of the same key': [
    (at) => dpopWith(bobs.access_token, proofFor(at(bound.access_token))),
    'invalid_dpop_proof',
    'DPoP',
  ],
  'RFC 9449 §4.3 check 9: the proof for another address': [
    (at) => dpopWith(bound.access_token, proofFor({ ...at(bound.access_token), path: '/v1/refresh' })),
    'invalid_dpop_proof',
    'DPoP',
  ],
  'RFC 8725 §3.11: a proof as access token': [
    (at) => {
      const dpop = proofFor(at(bound.access_token));
      return dpopWith(dpop, dpop);
    },
    'invalid_token',
    'DPoP',
  ],
  'RFC 8725 §3.11: the refresh token as access token': [
    (at) => dpopWith(bound.refresh_token, proofFor(at(bound.refresh_token))),
    'invalid_token',
    'DPoP',
  ],
  'the DPoP scheme without a token': [
    (at) => ({ authorization: 'DPoP', dpop: proofFor(at('')) }),
    'invalid_token',
    'DPoP',
  ],
};
describe.each(routes)('%s %s', (method, url) => {
  test.each(Object.entries(downgrades))('%s is refused', async (_name, [headers, error, scheme]) => {
    const at: Place = (token, of) => target(method, url, token, of);
    const body = { current_password: ADA.password, new_password: BOB.password };
    const response = await idcard.app.inject({
      method,
      url,
      headers: headers(at),
      ...(method === 'PUT' && { body }),
    });
    expectRefusal(response, 401, error, scheme);
  });
});

const renewals: Record<string, [() => Promise<LightMyRequestResponse>, number, string]> = {
  'RFC 9449 §5: a bound refresh token without proof': [
    () => refresh(bound.refresh_token),
    400,
    'invalid_dpop_proof',
  ],
  'RFC 9449 §5: a bound refresh token with the proof of another key': [
    () => refresh(bound.refresh_token, proofFor(renewal(createProofKey()))),
    401,
    'invalid_token',
  ],
  'a bound refresh token with a proof for the login': [
    () => refresh(bound.refresh_token, proofFor(login())),
    400,
    'invalid_dpop_proof',
  ],
  'a bound refresh token with a proof without nonce': [
    () => refresh(bound.refresh_token, proofFor(renewal(), { nonce: undefined })),
    400,
    'use_dpop_nonce',
  ],
  'an unbound refresh token with a proof that is none': [
    () => refresh(unbound.refresh_token, 'a.b.c'),
    400,
    'invalid_dpop_proof',
  ],
  'a bound access token as refresh token': [
    () => refresh(bound.access_token, proofFor(renewal())),
    401,
    'invalid_token',
  ],
  'a proof as refresh token': [() => refresh(proofFor(renewal()), proofFor(renewal())), 401, 'invalid_token'],
  'a bound refresh cookie without proof': [
    async () => idcard.app.inject({ method: 'POST', url: '/v1/refresh', headers: { cookie } }),
    400,
    'invalid_dpop_proof',
  ],
};
test.each(Object.entries(renewals))('%s is refused', async (_name, [send, status, error]) => {
  expectRefusal(await send(), status, error, status === 401 ? 'Bearer' : undefined);
});

test('with their own proofs the same tokens work, so the downgrades fail for their own reason', async () => {
  const access = /access=([^;]+)/.exec(cookie)?.[1];
  for (const [token, headers] of [
    [bound.access_token, { authorization: `DPoP ${bound.access_token}` }],
    [bobs.access_token, { authorization: `dpop  ${bobs.access_token}` }],
    [access, { cookie }],
  ] as const) {
    const dpop = proofFor(target('GET', '/v1/me', token));
    expect((await idcard.app.inject({ url: '/v1/me', headers: { ...headers, dpop } })).statusCode).toBe(200);
  }
  const bearer = { authorization: `Bearer ${unbound.access_token}` };
  expect((await idcard.app.inject({ url: '/v1/me', headers: bearer })).statusCode).toBe(200);
  expect((await refresh(bound.refresh_token, proofFor(renewal()))).statusCode).toBe(200);
  expect((await refresh(unbound.refresh_token)).statusCode).toBe(200);
});
