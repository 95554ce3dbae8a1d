import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import Fastify from 'fastify';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { describe, expect, test } from 'vitest';
import { StartupError } from '../../../src/base/startup-error.ts';
import { readConfig } from '../../../src/config/config.ts';
import { PrivateJwk, thumbprint } from '../../../src/proofs/keys/jwk.ts';
import { generateKeySet } from '../../../src/proofs/keys/key-rotation.ts';
import { createKeySet } from '../../../src/proofs/keys/key-set.ts';
import { registerJwt } from '../../../src/proofs/tokens/jwt.ts';
import { tokenProfiles } from '../../../src/proofs/tokens/profiles.ts';
import { createTestApp, START } from '../../support/app.ts';
import { keyOf } from '../../support/forge.ts';

const config = readConfig({});
const good = generateKeySet(config.keys, START);
const ec = keyOf(good, 'EC');
const oct = keyOf(good, 'oct');
const load = (keys: unknown, algorithm = config.keys.algorithm) =>
  createKeySet(JSON.stringify({ keys }), algorithm, () => START);
const jwk = (type: 'rsa' | 'rsa-pss', options: { modulusLength: number }) =>
  generateKeyPairSync(type as 'rsa', options).privateKey.export({ format: 'jwk' });
const secret = (bytes: Buffer | string) => ({ kty: 'oct', k: Buffer.from(bytes).toString('base64url') });

test('the kid is the RFC 7638 thumbprint, as jose computes it', async () => {
  for (const key of good.keys) {
    expect(thumbprint(key)).toBe(await calculateJwkThumbprint({ ...key } as JWK));
    expect(key.kid).toBe(thumbprint(key));
  }
});

test('a key without kid gets one', () => {
  const { kid, ...nameless } = ec;
  expect(load([nameless, oct]).verificationKey(kid ?? '')?.algorithm).toBe('ES256');
});

test('a key of another set signs nothing here', async () => {
  const jwt = await registerJwt(
    Fastify(),
    load(good.keys),
    tokenProfiles(config.server.publicUrl, config.tokens),
  );
  const stranger = load(generateKeySet(config.keys, START).keys).signingKey('access');
  expect(() => jwt.sign(stranger, 'access', {})).toThrow('A key of another key set.');
});

describe('the published set', () => {
  test('has public members only, whatever the private key holds', () => {
    const rsa = PrivateJwk.parse(jwk('rsa', { modulusLength: 3072 }));
    const okp = PrivateJwk.parse(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }));
    const { keys } = load([ec, okp, rsa, oct]).jwks();
    expect(keys.map((key) => Object.keys(key).sort())).toEqual([
      ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'],
      ['alg', 'crv', 'kid', 'kty', 'use', 'x'],
      ['alg', 'e', 'kid', 'kty', 'n', 'use'],
    ]);
  });

  test('is served with cache headers, and without the secret of the refresh tokens', async () => {
    const idcard = await createTestApp({ jwks: good });
    const response = await idcard.app.inject('/.well-known/jwks.json');
    expect(response.headers['cache-control']).toBe('public, max-age=300');
    expect(response.json()).toEqual({
      keys: [{ kty: 'EC', crv: 'P-256', x: ec.x, y: ec.y, kid: ec.kid, alg: 'ES256', use: 'sig' }],
    });
    expect(response.body).not.toContain(oct.k);
    await idcard.close();
  });
});

/** RFC 7515 and 7517 print these with their private halves. */
const PRINTED = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
  d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI',
};
const other = keyOf(generateKeySet(config.keys, START), 'EC');
const digest = (text: string) => createHash('sha256').update(text).digest('hex');

describe('a key set is refused in one sentence', () => {
  test.each<[string, unknown[], string]>([
    ['with an HMAC secret of 31 bytes', [ec, secret(randomBytes(31))], 'is shorter than 32 bytes'],
    ['with a typed secret', [ec, secret('my-super-long-and-secret-jwt-signing-secret')], 'is a text'],
    ['with a leaked secret', [ec, secret('reallyreallyreallyreallyverysafe')], 'is a text'],
    ['with a text in another script', [ec, secret('сорок две секретные подписи')], 'is a text'],
    ['with a hash written as hexadecimal', [ec, { kty: 'oct', k: digest('x') }], 'is a text'],
    ['with a secret of one byte, repeated', [ec, secret(Buffer.alloc(32, 0xff))], 'is not random'],
    [
      'with a secret from a list',
      [ec, { kty: 'oct', k: '17TKJ5LyCf14G5Ravea_hyyl6pHRMI0FF974uzIvi3o' }],
      'is printed',
    ],
    ['with an EC key of RFC 7515', [PRINTED, oct], 'is printed in a public document'],
    [
      'with RSA of 2048 bits',
      [ec, oct, jwk('rsa', { modulusLength: 2048 })],
      'has 2048 bits, fewer than 3072',
    ],
    [
      'whose halves do not match',
      [{ ...ec, kid: undefined, x: other.x, y: other.y }, oct],
      'does not fit its public half',
    ],
    ['with a point off the curve', [{ ...ec, kid: undefined, x: ec.y }, oct], 'is malformed'],
    [
      'with a kid that is no thumbprint',
      [{ ...ec, kid: 'key-1' }, oct],
      'has a kid other than its RFC 7638 thumbprint',
    ],
    ['without a key for refresh tokens', [ec], 'no key for refresh tokens'],
    ['without a key for access tokens', [oct], 'no key for access tokens'],
    ['whose only key is retired', [{ ...ec, exp: START }, oct], 'no key for access tokens'],
    ['on a curve we do not sign with', [{ ...ec, crv: 'P-384' }, oct], 'is not a private JWK Set'],
    ['with an algorithm of another key type', [{ ...ec, alg: 'HS256' }, oct], 'is not a private JWK Set'],
    ['of public keys', [{ kty: 'EC', crv: 'P-256', x: ec.x, y: ec.y }, oct], 'is not a private JWK Set'],
  ])('%s', (_name, keys, reason) => {
    expect(() => load(keys)).toThrow(StartupError);
    expect(() => load(keys)).toThrow(reason);
    expect(() => load(keys)).not.toThrow(ec.d);
  });

  test.each(['', '{', '[]', '{"keys":{}}', 'null'])('that reads %j', (json) => {
    expect(() => createKeySet(json, 'ES256', () => START)).toThrow('is not a private JWK Set');
  });

  test('that does not have the configured algorithm', () => {
    expect(() => load([ec, oct], 'RS256')).toThrow('JWT_ALGORITHM is RS256 but no key in the key set is');
  });
});
