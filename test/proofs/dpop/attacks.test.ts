import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sha256 } from '../../../src/base/digest.ts';
import { createDpopNonces } from '../../../src/proofs/dpop/dpop-nonces.ts';
import { generateKeySet } from '../../../src/proofs/keys/key-rotation.ts';
import { createKeySet } from '../../../src/proofs/keys/key-set.ts';
import { ADA, addUser, BOB, createTestApp, START, type TestApp, type TokenBody } from '../../support/app.ts';
import {
  createProofKey,
  expectRefusal,
  fetchNonce,
  logInBound,
  ORIGIN,
  type ProofKey,
} from '../../support/dpop.ts';
import { FORGERIES, proofFor, type Target } from '../../support/dpop-forgeries.ts';

let idcard: TestApp;
let key: ProofKey;
/** Tokens of the key, and of the same key for another user. */
let bound: TokenBody;
let bobs: TokenBody;
let nonce: string;

beforeAll(async () => {
  idcard = await createTestApp();
  await addUser(idcard);
  await addUser(idcard, BOB);
  key = createProofKey();
  bound = await logInBound(idcard, key);
  bobs = await logInBound(idcard, key, BOB);
  nonce = await fetchNonce(idcard);
});
afterAll(() => idcard.close());

/** A place that looks at proofs; `token` is the access token that comes along. */
const target = (htm: string, path: string, token?: string, of = key): Target => ({
  htm,
  path,
  ath: token === undefined ? {} : { ath: sha256(token) },
  nonce,
  key: of,
  tokens: bound,
  jwks: idcard.jwks,
});
const me = (of = key) => target('GET', '/v1/me', bound.access_token, of);
const login = (of = key) => target('POST', '/v1/login', undefined, of);

type Headers = Record<string, string | string[]>;
const ask = (dpop: string | string[], headers: Headers = {}, url = '/v1/me') =>
  idcard.app.inject({
    url,
    headers: { authorization: `DPoP ${bound.access_token}`, dpop, ...headers },
  });
const enter = (dpop: string | string[]) =>
  idcard.app.inject({ method: 'POST', url: '/v1/login', headers: { dpop }, body: ADA });

describe.each(Object.entries(FORGERIES))('%s', (_suite, forgeries) => {
  test.each(Object.entries(forgeries))(
    '%s is refused where tokens are used and where they are issued',
    async (_name, forge) => {
      expectRefusal(await ask(forge(me())), 401, 'invalid_dpop_proof', 'DPoP');
      expectRefusal(await enter(forge(login())), 400, 'invalid_dpop_proof');
    },
  );
});

/** The nonces that the app, or one with other secrets, gives at another time. */
const nonceAt = (seconds: number, jwks = idcard.jwks) =>
  createDpopNonces(
    createKeySet(JSON.stringify(jwks), 'ES256', () => START),
    () => seconds,
  ).current();

const nonces: Record<string, () => string | undefined> = {
  missing: () => undefined,
  empty: () => '',
  'in capitals': () => nonce.toUpperCase(),
  'cut short': () => nonce.slice(0, -1),
  'too long': () => `${nonce}A`,
  'of two steps ago': () => nonceAt(START - 120),
  'of the next step': () => nonceAt(START + 60),
  'of other secrets': () => nonceAt(START, generateKeySet(idcard.config.keys, START)),
  'that is another key of the server': () => String(idcard.jwks.keys[0]?.kid),
};
test.each(Object.entries(nonces))(
  'RFC 9449 §4.3 check 10: a nonce %s is answered with the right one',
  async (_name, make) => {
    for (const [response, status, scheme] of [
      [await ask(proofFor(me(), { nonce: make() })), 401, 'DPoP'],
      [await enter(proofFor(login(), { nonce: make() })), 400, undefined],
    ] as const) {
      expectRefusal(response, status, 'use_dpop_nonce', scheme);
      expect(response.headers['dpop-nonce']).toBe(nonce);
    }
  },
);

const hashes: Record<string, () => string | undefined> = {
  missing: () => undefined,
  empty: () => '',
  'of another token of the same key': () => sha256(bobs.access_token),
  'of the refresh token': () => sha256(bound.refresh_token),
  'of the token with its scheme': () => sha256(`DPoP ${bound.access_token}`),
  'in hex': () => Buffer.from(sha256(bound.access_token), 'base64url').toString('hex'),
  'with padding': () => `${sha256(bound.access_token)}=`,
  'that is the token itself': () => bound.access_token,
};
test.each(Object.entries(hashes))('RFC 9449 §4.3 check 12: an ath %s is refused', async (_name, make) => {
  expectRefusal(await ask(proofFor(me(), { ath: make() })), 401, 'invalid_dpop_proof', 'DPoP');
});

/** Where the request went is known from the configuration alone. */
const places: Record<string, Headers> = {
  Host: { host: 'evil.example' },
  'X-Forwarded-Host': { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http' },
  Forwarded: { forwarded: 'host=evil.example;proto=http' },
  'X-Original-URL': { 'x-original-url': 'http://evil.example/v1/me' },
};
test.each(Object.entries(places))(
  'RFC 9449 §4.3 check 9: %s does not say where the request went',
  async (_name, headers) => {
    const foreign = proofFor(me(), { htu: 'http://evil.example/v1/me' });
    expectRefusal(await ask(foreign, headers), 401, 'invalid_dpop_proof', 'DPoP');
    expect((await ask(proofFor(me()), headers)).statusCode).toBe(200);
  },
);

/** A thief with a key of his own, who calls it the owner's. */
const impostures: Record<string, (thief: ProofKey) => string> = {
  'nothing said': (thief) => proofFor(me(thief)),
  "the owner's thumbprint as kid": (thief) => proofFor(me(thief), {}, { kid: key.jkt }),
  "the owner's thumbprint in the key": (thief) =>
    proofFor(me(thief), {}, { jwk: { ...thief.jwk, kid: key.jkt, jkt: key.jkt } }),
  "the owner's thumbprint in the claims": (thief) =>
    proofFor(me(thief), { cnf: { jkt: key.jkt }, jkt: key.jkt }),
  "the owner's key as a claim": (thief) => proofFor(me(thief), { jwk: key.jwk }),
};
test.each(Object.entries(impostures))(
  'RFC 9449 §6.1: another key with %s is not the one that the token is bound to',
  async (_name, make) => {
    expectRefusal(await ask(make(createProofKey())), 401, 'invalid_token', 'DPoP');
    expectRefusal(await ask(make(createProofKey('EdDSA'))), 401, 'invalid_token', 'DPoP');
  },
);

test('RFC 9449 §11.1: a proof works once, and so does its jti', async () => {
  const used = proofFor(me(), { jti: 'once' });
  expect((await ask(used)).statusCode).toBe(200);
  expectRefusal(await ask(used), 401, 'invalid_dpop_proof', 'DPoP');
  expectRefusal(
    await ask(proofFor(me(), { jti: 'once', iat: START + 1 })),
    401,
    'invalid_dpop_proof',
    'DPoP',
  );
  expectRefusal(await enter(proofFor(login(), { jti: 'once' })), 400, 'invalid_dpop_proof');
  const entered = proofFor(login());
  expect((await enter(entered)).statusCode).toBe(200);
  expectRefusal(await enter(entered), 400, 'invalid_dpop_proof');
  const strangers = createProofKey();
  expect((await enter(proofFor(login(strangers), { jti: 'once' }))).statusCode).toBe(200);
});

test('the same forge makes proofs that are accepted, so the attacks fail for their own reason', async () => {
  for (const dpop of [
    proofFor(me()),
    proofFor(me(), { iat: 0, extra: 'claim' }),
    proofFor(me(), {}, { kid: 'a name', jku: 'http://127.0.0.1:9/' }),
    proofFor(me(), {}, { jwk: { ...key.jwk, kid: 'a name', use: 'sig', alg: 'ES256' } }),
    proofFor(me(), { jti: 'x'.repeat(256) }),
    proofFor(me(), { nonce: nonceAt(START - 60) }),
    proofFor(me(), { htu: `${ORIGIN}/v1/me?query=1#fragment` }),
    proofFor(me(), { htu: 'HTTP://LOCALHOST:3000/v1/../v1/me' }),
  ]) {
    const response = await ask(dpop);
    expect([response.statusCode, response.headers['dpop-nonce']]).toEqual([200, nonce]);
  }
  const queried = proofFor(target('GET', '/v1/verify', bound.access_token));
  expect((await ask(queried, {}, '/v1/verify?max_age=300')).statusCode).toBe(200);
});
