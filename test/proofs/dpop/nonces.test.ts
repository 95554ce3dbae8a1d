import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '../../../src/config/config.ts';
import { createDpopNonces, NONCE_STEP_SECONDS } from '../../../src/proofs/dpop/dpop-nonces.ts';
import type { DpopProof } from '../../../src/proofs/dpop/dpop-proof.ts';
import { createReplayGuard } from '../../../src/proofs/dpop/replay-guard.ts';
import { generateKeySet, rotate } from '../../../src/proofs/keys/key-rotation.ts';
import { createKeySet, type PrivateJwkSet } from '../../../src/proofs/keys/key-set.ts';
import { ADA, addUser, createTestApp, START, type TestApp } from '../../support/app.ts';
import {
  createProofKey,
  expectRefusal,
  fetchNonce,
  forgeProof,
  logInBound,
  proofClaims,
} from '../../support/dpop.ts';

const config = readConfig({});
const keys = generateKeySet(config.keys, START - 3600);
const STEP_START = Math.floor(START / NONCE_STEP_SECONDS) * NONCE_STEP_SECONDS;

/** The nonces of one replica, whose clock is moved by hand. */
function replica(jwks: PrivateJwkSet = keys, now = STEP_START) {
  const time = { now };
  const keySet = createKeySet(JSON.stringify(jwks), 'ES256', () => time.now);
  return { time, keySet, nonces: createDpopNonces(keySet, () => time.now) };
}

test('two replicas with the same keys make the same nonces, and each takes those of the other', () => {
  const [one, other] = [replica(), replica()];
  const nonce = one.nonces.current();
  expect(nonce).toMatch(/^[\w-]{43}$/);
  expect(other.nonces.current()).toBe(nonce);
  expect(other.nonces.isValid(nonce)).toBe(true);
});

test('replicas with other keys make other nonces, and take none of the first', () => {
  const stranger = replica(generateKeySet(config.keys, START));
  const nonce = replica().nonces.current();
  expect(stranger.nonces.current()).not.toBe(nonce);
  expect(stranger.nonces.isValid(nonce)).toBe(false);
});

test('the last second of a step has the nonce of the first, and the next second another', () => {
  const { time, nonces } = replica();
  const nonce = nonces.current();
  time.now = STEP_START + 59;
  expect(nonces.current()).toBe(nonce);
  time.now = STEP_START + 60;
  expect(nonces.current()).not.toBe(nonce);
});

test.each([
  [-1, false],
  [0, true],
  [59, true],
  [60, true],
  [119, true],
  [120, false],
  [86_400, false],
])('%i seconds after its step began a nonce is good: %s', (seconds, good) => {
  const { time, nonces } = replica();
  const nonce = nonces.current();
  time.now = STEP_START + seconds;
  expect(nonces.isValid(nonce)).toBe(good);
});

test.each([undefined, '', 'x', 'A'.repeat(43), '\u0000'])('%j is no nonce', (text) => {
  expect(replica().nonces.isValid(text)).toBe(false);
});

describe('while keys rotate', () => {
  const activeFrom = STEP_START + 600;
  const after = rotate(keys, config, STEP_START, activeFrom);

  test('each replica takes the nonces of the other until the new key signs, and a restarted one goes on', () => {
    for (const now of [STEP_START, activeFrom - 1, activeFrom]) {
      const [old, restarted] = [replica(keys, now), replica(after, now)];
      expect(restarted.nonces.isValid(old.nonces.current())).toBe(true);
      expect(old.nonces.isValid(restarted.nonces.current())).toBe(now < activeFrom);
    }
  });

  test('a nonce from just before the new key signs is good just after', () => {
    const { time, nonces } = replica(after, activeFrom - 1);
    const nonce = nonces.current();
    time.now = activeFrom;
    expect(nonces.current()).not.toBe(nonce);
    expect(nonces.isValid(nonce)).toBe(true);
  });

  test('the nonces of a retired key are not good', () => {
    const retiresAt = Number(after.keys.find((key) => key.kty === 'oct')?.exp);
    const nonce = replica(keys, retiresAt - 1).nonces.current();
    expect(replica(after, retiresAt - 1).nonces.isValid(nonce)).toBe(true);
    expect(replica(after, retiresAt).nonces.isValid(nonce)).toBe(false);
  });
});

test('a key without a secret is an error and no nonce that anybody could guess', () => {
  const { keySet } = replica();
  const broken = { ...keySet, signingKey: () => keySet.signingKey('access') };
  expect(() => createDpopNonces(broken, () => START).current()).toThrow('A key of another key set.');
});

describe('what remembers used proofs', () => {
  const proof = (jti: string, nonce = 'a nonce', jkt = 'a key'): DpopProof => ({
    jkt,
    claims: { jti, htm: 'GET', htu: 'http://localhost:3000/', iat: START, nonce },
  });

  test('lets a jti of a key through once', () => {
    const { isFirstUse } = createReplayGuard(100);
    expect(isFirstUse(proof('one'))).toBe(true);
    expect(isFirstUse(proof('one'))).toBe(false);
    expect(isFirstUse(proof('two'))).toBe(true);
    expect(isFirstUse(proof('one', 'a nonce', 'another key'))).toBe(true);
    expect(isFirstUse(proof('one', 'the next nonce'))).toBe(false);
  });

  test('forgets what came before the last eight nonces, of which two are good at a time', () => {
    const guard = createReplayGuard(1_000_000);
    const sizes = Array.from({ length: 12 }, (_, minute) => {
      guard.isFirstUse(proof(`early ${minute}`, `nonce ${minute}`));
      guard.isFirstUse(proof(`late ${minute}`, `nonce ${minute}`));
      return guard.size;
    });
    expect(sizes).toEqual([2, 4, 6, 8, 10, 12, 14, 16, 16, 16, 16, 16]);
    const known = Array.from(
      { length: 12 },
      (_, minute) => !guard.isFirstUse(proof(`late ${minute}`, 'nonce 11')),
    );
    expect(known).toEqual([...Array(4).fill(false), ...Array(8).fill(true)]);
  });

  test('knows half its capacity for certain, and has forgotten what came more than its capacity ago', () => {
    const { isFirstUse } = createReplayGuard(10);
    expect(isFirstUse(proof('the first'))).toBe(true);
    for (let i = 0; i < 5; i++) isFirstUse(proof(`early ${i}`));
    expect(isFirstUse(proof('the first'))).toBe(false);
    for (let i = 0; i < 10; i++) isFirstUse(proof(`late ${i}`));
    expect(isFirstUse(proof('the first'))).toBe(true);
  });

  test('holds no more than its capacity, whatever nonces it is shown', () => {
    const guard = createReplayGuard(10);
    for (let i = 0; i < 200; i++) {
      guard.isFirstUse(proof(`proof ${i}`, `nonce ${(i * i) % 7}`));
      expect(guard.size).toBeLessThanOrEqual(10);
    }
  });
});

describe('a proof that was used', () => {
  const leaps: Record<string, number[]> = {
    'that was ahead for one proof and is right again': [600, 0],
    'that leaps ahead by a day, again and again': [86_400, 0, 2 * 86_400, 0, 60],
    'that leaps ahead at the end of a nonce': [119, 719, 119],
    'that is set back, and passes that time again': [600, -600, -300, 0, 59],
  };
  test.each(Object.entries(leaps))('is not taken again on a clock %s', async (_name, seconds) => {
    const idcard = await createTestApp();
    const key = createProofKey();
    const send = async (jti: string) => {
      const nonce = await fetchNonce(idcard);
      return forgeProof(key, { ...proofClaims('POST', '/v1/login', nonce), jti });
    };
    const logInWith = (dpop: string) => idcard.post('/v1/login', ADA, { dpop });
    await addUser(idcard);
    const used = await send('used');
    expect((await logInWith(used)).statusCode).toBe(200);
    for (const [index, second] of seconds.entries()) {
      idcard.time.now = START + second;
      expect((await logInWith(await send(`other ${index}`))).statusCode).toBe(200);
      expect((await logInWith(used)).statusCode).toBe(400);
    }
    await idcard.close();
  });
});

describe('a proof on two replicas', () => {
  let one: TestApp;
  let other: TestApp;
  beforeAll(async () => {
    one = await createTestApp({ jwks: keys });
    other = await createTestApp({ jwks: keys, directory: () => one.directory });
    await addUser(one);
  });
  afterAll(async () => {
    await other.close();
    await one.close();
  });

  const logIn = ({ app }: TestApp, dpop: string) =>
    app.inject({ method: 'POST', url: '/v1/login', headers: { dpop }, body: ADA });

  test('is refused when one sees it again; the other, which has not seen it, takes it once', async () => {
    const nonce = await fetchNonce(one);
    const proof = forgeProof(createProofKey(), proofClaims('POST', '/v1/login', nonce));
    expect((await logIn(one, proof)).statusCode).toBe(200);
    expectRefusal(await logIn(one, proof), 400, 'invalid_dpop_proof');
    expect((await logIn(other, proof)).statusCode).toBe(200);
    expectRefusal(await logIn(other, proof), 400, 'invalid_dpop_proof');
  });

  test('is refused by both when its nonce is over', async () => {
    const nonce = await fetchNonce(one);
    const proof = forgeProof(createProofKey(), proofClaims('POST', '/v1/login', nonce));
    expect((await logIn(one, proof)).statusCode).toBe(200);
    one.time.now += 2 * NONCE_STEP_SECONDS;
    other.time.now = one.time.now;
    for (const replica of [one, other]) expectRefusal(await logIn(replica, proof), 400, 'use_dpop_nonce');
  });

  test('is accepted by one with a nonce of the other, and so is the token', async () => {
    const key = createProofKey();
    const { access_token } = await logInBound(one, key);
    const claims = proofClaims('GET', '/v1/me', await fetchNonce(one), access_token);
    const headers = { authorization: `DPoP ${access_token}`, dpop: forgeProof(key, claims) };
    expect((await other.get('/v1/me', headers)).statusCode).toBe(200);
  });
});
