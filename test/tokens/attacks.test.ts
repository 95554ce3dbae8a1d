import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bearer, createTestApp, START, type TestApp } from '../support/app.ts';
import {
  ACCESS_CLAIMS,
  base64url,
  es256,
  forge,
  forgeAccess,
  forgeRefresh,
  hmac,
  keyOf,
  unsigned,
} from '../support/forge.ts';

let idcard: TestApp;
/** Would be called by a verifier that follows a URL from a token. */
let lure: Server;
let lureUrl: string;
let lured = 0;

beforeAll(async () => {
  idcard = await createTestApp();
  lure = createServer((_request, response) => {
    lured++;
    response.end('{"keys":[]}');
  }).listen(0, '127.0.0.1');
  await new Promise((listening) => lure.once('listening', listening));
  lureUrl = `http://127.0.0.1:${(lure.address() as AddressInfo).port}/jwks.json`;
});
afterAll(async () => {
  await idcard.close();
  lure.close();
});

type Forgery = () => string;
const kid = () => keyOf(idcard.jwks, 'EC').kid;
const header = (other: object = {}) => ({ alg: 'ES256', typ: 'at+jwt', kid: kid(), ...other });
const ownKey = () => createPrivateKey({ key: keyOf(idcard.jwks, 'EC'), format: 'jwk' });
const strangersKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const publicKey = () => createPublicKey(ownKey());
const publicPem = (type: 'spki' = 'spki') => publicKey().export({ type, format: 'pem' }).toString();
const [SPACES, BOM] = ['  ', '\ufeff'];

const unsignedTokens: Record<string, Forgery> = Object.fromEntries(
  ['none', 'None', 'NONE', 'nOnE', '', ' none', 'null'].flatMap((alg) => [
    [`alg "${alg}" without signature (RFC 8725 §3.1)`, () => forge(header({ alg }), ACCESS_CLAIMS, unsigned)],
    [`alg "${alg}" with our signature`, () => forge(header({ alg }), ACCESS_CLAIMS, es256(ownKey()))],
  ]),
);

/** CVE-2015-9235 and its kin: the public key, in any spelling, as an HMAC secret. */
const confusedKeys: Record<string, () => Buffer | string> = {
  PEM: () => publicPem(),
  'PEM trimmed': () => publicPem().trim(),
  'PEM with CRLF': () => publicPem().replaceAll('\n', '\r\n'),
  'PEM with BOM': () => BOM + publicPem(),
  'PEM with spaces around': () => SPACES + publicPem() + SPACES,
  'PEM with text around': () => `key:\n${publicPem()}\nend`,
  'PEM body alone': () => publicPem().split('\n').slice(1, -2).join(''),
  DER: () => publicKey().export({ type: 'spki', format: 'der' }),
  JWK: () => JSON.stringify(publicKey().export({ format: 'jwk' })),
  'the x coordinate': () => keyOf(idcard.jwks, 'EC').x,
  'the kid': () => kid() ?? '',
  nothing: () => '',
};
const confusions: Record<string, Forgery> = Object.fromEntries(
  Object.entries(confusedKeys).flatMap(([name, key]) => [
    [`HS256 with ${name}`, () => forge(header({ alg: 'HS256' }), ACCESS_CLAIMS, hmac(key()))],
    [`HS512 with ${name}`, () => forge(header({ alg: 'HS512' }), ACCESS_CLAIMS, hmac(key(), 'sha512'))],
    [`"ES256" that is an HMAC with ${name}`, () => forge(header(), ACCESS_CLAIMS, hmac(key()))],
  ]),
);

const signatures: Record<string, Forgery> = {
  'no signature': () => forge(header(), ACCESS_CLAIMS, unsigned),
  "a stranger's key": () => forge(header(), ACCESS_CLAIMS, es256(strangersKey())),
  'all zeros, r and s (CVE-2022-21449)': () =>
    forge(header(), ACCESS_CLAIMS, () => base64url(Buffer.alloc(64))),
  'cut short': () => forgeAccess(idcard.jwks).slice(0, -4),
  'in DER instead of r and s (RFC 7518 §3.4)': () =>
    forge(header(), ACCESS_CLAIMS, (input) => base64url(sign('sha256', Buffer.from(input), ownKey()))),
  'of another payload': () => {
    const [head, , signature] = forgeAccess(idcard.jwks).split('.');
    return `${head}.${base64url({ ...ACCESS_CLAIMS, sub: 'somebody-else' })}.${signature}`;
  },
  'with its unused bits set': () => {
    const token = forgeAccess(idcard.jwks);
    const respelled = { A: 'B', Q: 'R', g: 'h', w: 'x' }[token.at(-1) ?? ''];
    return token.slice(0, -1) + respelled;
  },
};

const headers: Record<string, Forgery> = {
  ...Object.fromEntries(
    [
      undefined,
      null,
      1,
      {},
      [],
      '',
      'unknown',
      '__proto__',
      'constructor',
      '../../dev/null',
      '0',
      'x'.repeat(1024),
    ].map((badKid) => [
      `kid ${JSON.stringify(badKid)?.slice(0, 20)}`,
      () => forgeAccess(idcard.jwks, {}, { kid: badKid }),
    ]),
  ),
  ...Object.fromEntries(
    [undefined, null, 1, '', 'JWT', 'rt+jwt', 'AT+JWT', 'application/at+jwt', 'dpop+jwt', ['at+jwt']].map(
      (typ) => [`typ ${JSON.stringify(typ)} (RFC 8725 §3.11)`, () => forgeAccess(idcard.jwks, {}, { typ })],
    ),
  ),
  ...Object.fromEntries(
    [[], ['exp'], ['b64'], ['unknown'], 'exp', null, 0, {}, [null]].map((crit) => [
      `crit ${JSON.stringify(crit)} (RFC 7515 §4.1.11)`,
      () => forgeAccess(idcard.jwks, {}, { crit }),
    ]),
  ),
  ...Object.fromEntries(
    [undefined, null, 1, [], ['ES256'], 'es256', 'ES384', 'RS256', 'PS256', 'EdDSA', 'ES256K'].map((alg) => [
      `alg ${JSON.stringify(alg)}`,
      () => forgeAccess(idcard.jwks, {}, { alg }),
    ]),
  ),
  'jwk of a stranger (RFC 7515 §4.1.3, CVE-2018-0114)': () => {
    const key = strangersKey();
    return forge(header({ jwk: createPublicKey(key).export({ format: 'jwk' }) }), ACCESS_CLAIMS, es256(key));
  },
  'jku of a stranger': () => forge(header({ jku: lureUrl }), ACCESS_CLAIMS, es256(strangersKey())),
  'x5u of a stranger': () => forge(header({ x5u: lureUrl }), ACCESS_CLAIMS, es256(strangersKey())),
  'x5c of a stranger': () => forge(header({ x5c: ['MIIB'] }), ACCESS_CLAIMS, es256(strangersKey())),
  'jku as kid': () => forge(header({ kid: lureUrl }), ACCESS_CLAIMS, es256(strangersKey())),
  'a header that is an array': () => forge([], ACCESS_CLAIMS, es256(ownKey())),
  'a header that is null': () => forge('null', ACCESS_CLAIMS, es256(ownKey())),
  'a header that is no JSON': () => forge('{', ACCESS_CLAIMS, es256(ownKey())),
  'alg named twice': () =>
    forge(`{"alg":"ES256","typ":"at+jwt","kid":"${kid()}","alg":"none"}`, ACCESS_CLAIMS, unsigned),
};

const missing =
  (claim: string): Forgery =>
  () =>
    forgeAccess(idcard.jwks, { [claim]: undefined });
const claims: Record<string, Forgery> = {
  ...Object.fromEntries(
    ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'client_id', 'auth_time', 'amr', 'scope', 'roles', 'ver'].map(
      (claim) => [`no ${claim} (RFC 9068 §2.2)`, missing(claim)],
    ),
  ),
  ...Object.fromEntries(
    ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'ver', 'roles', 'amr'].flatMap((claim) =>
      [null, {}, [1], true, -1, 1.5].map((value) => [
        `${claim} ${JSON.stringify(value)}`,
        () => forgeAccess(idcard.jwks, { [claim]: value }),
      ]),
    ),
  ),
  'exp as text': () => forgeAccess(idcard.jwks, { exp: String(START + 300) }),
  'exp now (RFC 7519 §4.1.4)': () => forgeAccess(idcard.jwks, { exp: START }),
  'exp past': () => forgeAccess(idcard.jwks, { exp: START - 1 }),
  'exp beyond numbers': () => forgeAccess(idcard.jwks, { exp: 1e308 }),
  'nbf beyond the tolerance': () => forgeAccess(idcard.jwks, { nbf: START + 6 }),
  'nbf as text': () => forgeAccess(idcard.jwks, { nbf: 'now' }),
  'iat beyond the tolerance': () => forgeAccess(idcard.jwks, { iat: START + 6 }),
  'iss of another issuer': () => forgeAccess(idcard.jwks, { iss: 'http://localhost:3001' }),
  'iss with a slash behind': () => forgeAccess(idcard.jwks, { iss: 'http://localhost:3000/' }),
  'iss in capitals': () => forgeAccess(idcard.jwks, { iss: 'HTTP://LOCALHOST:3000' }),
  'aud of another service': () => forgeAccess(idcard.jwks, { aud: 'shop' }),
  'aud of refresh tokens': () => forgeAccess(idcard.jwks, { aud: 'http://localhost:3000' }),
  'aud empty': () => forgeAccess(idcard.jwks, { aud: [] }),
  'aud that contains ours': () => forgeAccess(idcard.jwks, { aud: 'apix' }),
  'sub empty': () => forgeAccess(idcard.jwks, { sub: '' }),
  ...Object.fromEntries(
    ['null', '[]', '"text"', '1', 'true', '', '{', '[{}]', '{"a":1}x', '\ufeff{}'].map((payload) => [
      `payload ${payload || 'empty'}`,
      () => forge(header(), payload, es256(ownKey())),
    ]),
  ),
  'payload that is no UTF-8': () => forge(header(), Buffer.from([0xff, 0xfe]), es256(ownKey())),
};

const otherKinds: Record<string, Forgery> = {
  'a refresh token': () => forgeRefresh(idcard.jwks),
  'a refresh token that says at+jwt': () => forgeRefresh(idcard.jwks, ACCESS_CLAIMS, { typ: 'at+jwt' }),
  'an access token signed with the refresh secret': () =>
    forge(
      { alg: 'HS256', typ: 'at+jwt', kid: keyOf(idcard.jwks, 'oct').kid },
      ACCESS_CLAIMS,
      hmac(Buffer.from(keyOf(idcard.jwks, 'oct').k, 'base64url')),
    ),
  'a token with refresh claims and our access key': () =>
    forgeAccess(idcard.jwks, { aud: 'http://localhost:3000' }),
};

const shapes: Record<string, Forgery> = {
  ...Object.fromEntries(
    [
      'a',
      '.',
      '..',
      '...',
      'a.b',
      'a.b.c',
      'a.b.c.d',
      'a.b.c.d.e',
      'undefined',
      'null',
      '[object Object]',
      '{}',
    ].map((text) => [`"${text}"`, () => text]),
  ),
  'a JWE (five segments)': () => `${forgeAccess(idcard.jwks)}.e.f`,
  'JSON serialization': () => {
    const [head, payload, signature] = forgeAccess(idcard.jwks).split('.');
    return JSON.stringify({ protected: head, payload, signature });
  },
  padding: () => `${forgeAccess(idcard.jwks)}==`,
  'the other base64 alphabet': () => `${forgeAccess(idcard.jwks).slice(0, -2)}+/`,
  'a percent sign': () => forgeAccess(idcard.jwks).replace('.', '%2e'),
  'a blank in it': () => forgeAccess(idcard.jwks).replace('.', ' .'),
  'a second token behind a comma': () => `${forgeAccess(idcard.jwks)},${forgeAccess(idcard.jwks)}`,
  'ten thousand characters': () => 'a'.repeat(10_000),
  'a signed token of five thousand characters': () => forgeAccess(idcard.jwks, { scope: 'x'.repeat(4000) }),
};

const suites = { unsignedTokens, confusions, signatures, headers, claims, otherKinds, shapes };

describe.each(Object.entries(suites))('%s', (_suite, forgeries) => {
  test.each(Object.entries(forgeries))('%s is refused with 401 invalid_token', async (_name, make) => {
    const response = await idcard.app.inject({ url: '/v1/verify', headers: bearer(make()) });
    expect(response.statusCode).toBe(401);
    expect(response.headers['www-authenticate']).toMatch(/^Bearer realm="idcard", error="invalid_token"/);
    expect(response.json()).toMatchObject({ type: 'urn:idcard:problem:invalid-token', status: 401 });
  });
});

test('the same forge makes tokens that are accepted, so the attacks fail for their own reason', async () => {
  for (const token of [
    forgeAccess(idcard.jwks),
    forgeAccess(idcard.jwks, { aud: ['shop', 'api'] }),
    forgeAccess(idcard.jwks, { nbf: START + 5, iat: START + 5 }),
    forgeAccess(idcard.jwks, {}, { jku: lureUrl, jwk: {}, x5u: lureUrl }),
  ]) {
    const response = await idcard.app.inject({ url: '/v1/verify', headers: bearer(token) });
    expect(response.statusCode).toBe(200);
  }
});

test('no token makes the server call anybody', () => {
  expect(lured).toBe(0);
});
