import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import type { PrivateJwk } from '../../src/tokens/jwk.ts';
import { generateKeySet, revoke, rotate } from '../../src/tokens/key-rotation.ts';
import { createKeySet, type PrivateJwkSet } from '../../src/tokens/key-set.ts';
import { addUser, bearer, createTestApp, decode, logIn, START, type TestApp } from '../support/app.ts';

const config = readConfig({});
const ACTIVE_FROM = START + 3600;
const WEEK = config.refreshTokenIdleSeconds;
const MARGIN = config.clockToleranceSeconds;

let before: PrivateJwkSet;
let after: PrivateJwkSet;
/** Two replicas, one not yet restarted, with one directory between them: the same user in both. */
let old: TestApp;
let restarted: TestApp;

beforeEach(async () => {
  before = generateKeySet(config, START);
  after = rotate(before, config, START, ACTIVE_FROM);
  old = await createTestApp({ jwks: before });
  restarted = await createTestApp({ jwks: after, directory: () => old.directory });
  await addUser(old);
});
afterEach(async () => {
  await restarted.close();
  await old.close();
});

function setTime(now: number): void {
  old.time.now = now;
  restarted.time.now = now;
}

async function accepts({ app }: TestApp, tokens: { access_token: string; refresh_token: string }) {
  const verified = await app.inject({ url: '/v1/verify', headers: bearer(tokens.access_token) });
  const body = { refresh_token: tokens.refresh_token };
  const refreshed = await app.inject({ method: 'POST', url: '/v1/refresh', body });
  return [verified.statusCode, refreshed.statusCode];
}

test('until the new keys are active every replica takes the tokens of every other', async () => {
  for (const now of [START, ACTIVE_FROM - 1]) {
    setTime(now);
    const [fromOld, fromRestarted] = [await logIn(old), await logIn(restarted)];
    expect(decode(fromRestarted.access_token, 0).kid).toBe(before.keys[0]?.kid);
    expect(await accepts(restarted, fromOld)).toEqual([200, 200]);
    expect(await accepts(old, fromRestarted)).toEqual([200, 200]);
  }
});

test('the new public key is published long before it signs', () => {
  const kids = createKeySet(JSON.stringify(after), 'ES256', () => START)
    .jwks()
    .keys.map((key) => key.kid);
  expect(kids).toEqual([before.keys[0]?.kid, after.keys[2]?.kid]);
});

test('from the second on which they are active the new keys sign, and tokens of the old ones live on', async () => {
  setTime(ACTIVE_FROM - 1);
  const tokens = await logIn(old);
  setTime(ACTIVE_FROM);
  const renewed = await logIn(restarted);
  expect(decode(renewed.access_token, 0).kid).toBe(after.keys[2]?.kid);
  expect(decode(renewed.refresh_token, 0).kid).toBe(after.keys[3]?.kid);
  expect(await accepts(restarted, tokens)).toEqual([200, 200]);
});

describe('an old key is retired when the last token it signed has expired', () => {
  const keySet = (now: number) => createKeySet(JSON.stringify(after), 'ES256', () => now);

  test('for access tokens', () => {
    const end = ACTIVE_FROM + 300 + MARGIN;
    const kid = before.keys[0]?.kid ?? '';
    expect(keySet(end - 1).verificationKey(kid)?.kid).toBe(kid);
    expect(keySet(end).verificationKey(kid)).toBeUndefined();
    expect(keySet(end).jwks().keys).toHaveLength(1);
  });

  test('for refresh tokens', () => {
    const end = ACTIVE_FROM + WEEK + MARGIN;
    const kid = before.keys[1]?.kid ?? '';
    expect(keySet(end - 1).verificationKey(kid)?.kid).toBe(kid);
    expect(keySet(end).verificationKey(kid)).toBeUndefined();
  });
});

test('a token that was remembered dies with its key', async () => {
  const retiring = {
    keys: after.keys.map((key, index) => (index === 0 ? { ...key, exp: START + 100 } : key)),
  };
  const idcard = await createTestApp({ jwks: retiring });
  await addUser(idcard);
  const { access_token } = await logIn(idcard);
  const verify = () => idcard.app.inject({ url: '/v1/verify', headers: bearer(access_token) });
  expect((await verify()).statusCode).toBe(200);
  idcard.time.now = START + 99;
  expect((await verify()).statusCode).toBe(200);
  idcard.time.now = START + 100;
  expect((await verify()).statusCode).toBe(401);
  await idcard.close();
});

test('a clock that is behind the first key signs with it all the same', () => {
  const keySet = createKeySet(JSON.stringify(before), 'ES256', () => START - 30);
  expect(keySet.signingKey('access').kid).toBe(before.keys[0]?.kid);
});

test('when every key of a kind is retired nothing is signed', () => {
  let now = START;
  const ending = { keys: before.keys.map((key) => ({ ...key, exp: START + 10 })) };
  const keySet = createKeySet(JSON.stringify(ending), 'ES256', () => now);
  now = START + 10;
  expect(() => keySet.signingKey('access')).toThrow('Every key for access tokens is retired.');
});

test('rotating twice keeps the end that a key was given first, and drops what is retired', () => {
  const twice = rotate(after, config, START + 10, ACTIVE_FROM + 10);
  expect(twice.keys).toHaveLength(6);
  expect(twice.keys[0]?.exp).toBe(after.keys[0]?.exp);
  const later = rotate(twice, config, ACTIVE_FROM + 2 * WEEK, ACTIVE_FROM + 3 * WEEK);
  expect(later.keys).toHaveLength(4);
});

test.each(['RS256', 'EdDSA'] as const)('rotating can change the algorithm to %s', (algorithm) => {
  const changed = rotate(before, { ...config, algorithm }, START, ACTIVE_FROM);
  const keySet = createKeySet(JSON.stringify(changed), algorithm, () => ACTIVE_FROM);
  expect(keySet.signingKey('access').algorithm).toBe(algorithm);
});

describe('a leaked key is taken out at once', () => {
  const kids = (set: PrivateJwkSet) => set.keys.map((key) => key.kid);

  test.each([
    ['access', 0],
    ['refresh', 1],
  ] as const)(
    'the only key for %s tokens is replaced by one that signs now; the other kind stays',
    (kind, index) => {
      const revoked = revoke(before, config, before.keys[index]?.kid ?? '', START);
      expect(revoked.keys).toHaveLength(2);
      expect(kids(revoked)).not.toContain(before.keys[index]?.kid);
      expect(kids(revoked)).toContain(before.keys[1 - index]?.kid);
      const keySet = createKeySet(JSON.stringify(revoked), 'ES256', () => START);
      expect(keySet.signingKey(kind)).toMatchObject({ kid: revoked.keys[1]?.kid, signsFromSeconds: START });
    },
  );

  test('while keys rotate, a new one is made when what is left does not sign yet or has an end', () => {
    const [oldAccess, , newAccess] = kids(after);
    for (const leaked of [oldAccess, newAccess]) {
      const revoked = revoke(after, config, leaked ?? '', START);
      expect(kids(revoked)).not.toContain(leaked);
      expect(revoked.keys.at(-1)).toMatchObject({ kty: 'oct', nbf: START });
      const keySet = createKeySet(JSON.stringify(revoked), 'ES256', () => START);
      expect(keySet.signingKey('access').signsFromSeconds).toBe(START);
    }
  });

  test('after the rotation the new key goes on signing when the old one is taken out', () => {
    const revoked = revoke(after, config, after.keys[0]?.kid ?? '', ACTIVE_FROM);
    expect(kids(revoked)).toEqual(kids(after).slice(1));
  });

  test('a key without nbf signs from the beginning, and needs no other', () => {
    const timeless = { keys: before.keys.map(({ nbf, ...key }) => key as PrivateJwk) };
    const secret = timeless.keys.filter((key) => key.kty === 'oct');
    expect(revoke(timeless, config, timeless.keys[0]?.kid ?? '', START).keys).toEqual([
      ...secret,
      expect.objectContaining({ kty: 'EC', nbf: START }),
    ]);
  });

  test('a kid that nobody has takes nothing out', () => {
    expect(revoke(before, config, 'unknown', START)).toEqual(before);
  });
});
