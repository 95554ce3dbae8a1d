import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import Fastify from 'fastify';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../../../src/config/config.ts';
import { generateKeySet } from '../../../src/proofs/keys/key-rotation.ts';
import { createKeySet } from '../../../src/proofs/keys/key-set.ts';
import { createRevocations } from '../../../src/proofs/revocations/revocations.ts';
import { registerJwt } from '../../../src/proofs/tokens/jwt.ts';
import { tokenProfiles } from '../../../src/proofs/tokens/profiles.ts';
import { createTokens } from '../../../src/proofs/tokens/tokens.ts';
import { createVerifiedTokens } from '../../../src/proofs/tokens/verified-tokens.ts';
import { bearer, createTestApp, START } from '../../support/app.ts';
import { ACCESS_CLAIMS, forgeAccess } from '../../support/forge.ts';

test('a token is remembered until the second it is told, and not at it', () => {
  const tokens = createVerifiedTokens(10);
  tokens.add('token', ACCESS_CLAIMS, 50, 100);
  expect(tokens.get('token', 99)).toBe(ACCESS_CLAIMS);
  expect(tokens.get('token', 100)).toBeUndefined();
  expect(tokens.get('token', 99)).toBeUndefined();
});

test('a token is not known before its time, to which a clock may be set back', () => {
  const tokens = createVerifiedTokens(10);
  tokens.add('token', ACCESS_CLAIMS, 50, 100);
  expect(tokens.get('token', 50)).toBe(ACCESS_CLAIMS);
  expect(tokens.get('token', 49)).toBeUndefined();
});

test('another text is another token', () => {
  const tokens = createVerifiedTokens(10);
  tokens.add('token', ACCESS_CLAIMS, 50, 100);
  expect(tokens.get('token ', 99)).toBeUndefined();
  expect(tokens.get('__proto__', 99)).toBeUndefined();
});

test('no more than the capacity is kept, and what is in use stays', () => {
  const tokens = createVerifiedTokens(100);
  tokens.add('in use', ACCESS_CLAIMS, 50, 100);
  for (let index = 0; index < 1000; index++) {
    tokens.add(`other ${index}`, ACCESS_CLAIMS, 50, 100);
    expect(tokens.get('in use', 99)).toBe(ACCESS_CLAIMS);
  }
  const kept = Array.from({ length: 1000 }, (_, index) => tokens.get(`other ${index}`, 99)).filter(Boolean);
  expect(kept.length).toBeLessThanOrEqual(100);
});

describe('what is remembered', () => {
  test('is the token alone, and not the header that it was cut from', () => {
    setFlagsFromString('--expose-gc');
    const heapUsed = (): number => {
      runInNewContext('gc')();
      return process.memoryUsage().heapUsed;
    };
    const tokens = createVerifiedTokens(2000);
    const before = heapUsed();
    for (let index = 0; index < 1000; index++) {
      const header = Buffer.from(`${String(index).padStart(500, 'x')}${' '.repeat(15_000)}`).toString();
      tokens.add(header.slice(0, 500), ACCESS_CLAIMS, 50, 100);
    }
    expect(tokens.get('999'.padStart(500, 'x'), 50)).toBe(ACCESS_CLAIMS);
    expect((heapUsed() - before) / 1000).toBeLessThan(2000);
  });

  test('is frozen, down to its lists', async () => {
    const config = readConfig({});
    const keySet = createKeySet(JSON.stringify(generateKeySet(config.keys, START)), 'ES256', () => START);
    const jwt = await registerJwt(Fastify(), keySet, tokenProfiles(config.server.publicUrl, config.tokens));
    const verifiedTokens = createVerifiedTokens(10);
    const tokens = createTokens({
      issuer: config.server.publicUrl,
      settings: config.tokens,
      keySet,
      jwt,
      clock: () => START,
      verifiedTokens,
      revocations: createRevocations(300),
    });
    const login = {
      sub: 'ada',
      issuedAtSeconds: START,
      sid: 'one',
      authTimeSeconds: START,
      amr: ['pwd'],
      roles: ['admin'],
      ver: 1,
      jkt: undefined,
    };
    const { accessToken } = tokens.issue(login);

    const claims = tokens.verifyAccess(accessToken);
    expect(tokens.verifyAccess(accessToken)).toBe(claims);
    for (const value of [claims, claims.roles, claims.amr]) expect(Object.isFrozen(value)).toBe(true);
  });

  test('is not displaced by bad tokens, however many', async () => {
    const idcard = await createTestApp();
    const good = forgeAccess(idcard.jwks);
    const verify = (token: string) => idcard.app.inject({ url: '/v1/verify', headers: bearer(token) });
    expect((await verify(good)).statusCode).toBe(200);
    const signed: string[] = [];
    const jwt = idcard.app.jwt as unknown as Record<string, { verify(token: string): unknown }>;
    const namespace = jwt[`access ${idcard.jwks.keys[0]?.kid}`];
    const original = namespace?.verify.bind(namespace);
    Object.assign(namespace ?? {}, {
      verify: (token: string) => {
        signed.push(token);
        return original?.(token);
      },
    });
    for (let index = 0; index < 300; index++) {
      const bad = forgeAccess(idcard.jwks, { jti: String(index), aud: 'shop' });
      expect((await verify(bad)).statusCode).toBe(401);
    }
    expect(signed).toHaveLength(300);
    expect((await verify(good)).statusCode).toBe(200);
    expect(signed).toHaveLength(300); // the good one was still known
    await idcard.close();
  });
});
