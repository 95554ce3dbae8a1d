import { describe, expect, test } from 'vitest';
import { readConfig } from '../../../src/config/config.ts';
import { generateKeySet, rotate } from '../../../src/proofs/keys/key-rotation.ts';
import { createKeySet, type PrivateJwkSet } from '../../../src/proofs/keys/key-set.ts';
import { createDeviceTokens } from '../../../src/proofs/tokens/device-tokens.ts';
import { START } from '../../support/app.ts';

const ADA = 'ada@example.com';
const MONTH = 2_592_000;
const keys = generateKeySet(readConfig({}).keys, START - 3600);

/** The device tokens of one replica, whose clock is moved by hand. */
function replica(jwks: PrivateJwkSet = keys, env: Record<string, string> = {}, now = START) {
  const time = { now };
  const keySet = createKeySet(JSON.stringify(jwks), 'ES256', () => time.now);
  return { time, ...createDeviceTokens({ settings: readConfig(env).tokens, keySet, clock: () => time.now }) };
}

test('one is good for the account that it was given for, at every replica, and each is another device', () => {
  const [one, other] = [replica(), replica()];
  const [token, next] = [one.issue(ADA), one.issue(ADA)];
  expect(token).toMatch(/^[\w-]{72}$/);
  const device = other.deviceOf(token, ADA);
  expect(device).toMatch(/^[\w-]{22}$/);
  expect(one.deviceOf(token, ADA)).toBe(device);
  expect(other.deviceOf(next, ADA)).not.toBe(device);
  expect(other.deviceOf(token, 'bob@example.com')).toBeUndefined();
});

test.each([
  [-6, false],
  [-5, true],
  [0, true],
  [MONTH - 1, true],
  [MONTH, false],
  [10 * MONTH, false],
])('%i seconds after it was given it is good: %s', (seconds, good) => {
  const { time, issue, deviceOf } = replica();
  const token = issue(ADA);
  time.now = START + seconds;
  expect(deviceOf(token, ADA) !== undefined).toBe(good);
});

test('a shorter lifetime is that of the ones given before, too', () => {
  const token = replica().issue(ADA);
  const env = { LOGIN_MAX_AGE_SECONDS: '604800' };
  expect(replica(keys, env, START + 604_799).deviceOf(token, ADA)).toBeDefined();
  expect(replica(keys, env, START + 604_800).deviceOf(token, ADA)).toBeUndefined();
});

describe('no device token is', () => {
  const { issue, deviceOf } = replica();
  const token = issue(ADA);

  test.each([
    undefined,
    '',
    'x',
    'A'.repeat(72),
    '\u0000',
    `${token}A`,
    `${token}=`,
    ` ${token}`,
    `${token}\n`,
  ])('%j', (text) => {
    expect(deviceOf(text, ADA)).toBeUndefined();
  });

  test('one in which any letter was changed', () => {
    for (let index = 0; index < token.length; index++) {
      const letter = token[index] === 'A' ? 'B' : 'A';
      expect(deviceOf(token.slice(0, index) + letter + token.slice(index + 1), ADA)).toBeUndefined();
    }
  });

  test('that of another key set', () => {
    expect(replica(generateKeySet(readConfig({}).keys, START)).deviceOf(token, ADA)).toBeUndefined();
  });
});

test('while keys rotate those of both secrets are good, and none of a retired one', () => {
  const activeFrom = START + 600;
  const rotated = rotate(keys, readConfig({}), START, activeFrom);
  const old = replica(keys, {}, activeFrom).issue(ADA);
  const young = replica(rotated, {}, activeFrom).issue(ADA);
  const restarted = replica(rotated, {}, activeFrom);
  expect(restarted.deviceOf(old, ADA)).toBeDefined();
  expect(restarted.deviceOf(young, ADA)).toBeDefined();
  expect(replica(keys, {}, activeFrom).deviceOf(young, ADA)).toBeUndefined();

  const env = { LOGIN_MAX_AGE_SECONDS: '31536000' };
  const retiresAt = Number(rotated.keys.find((key) => key.kty === 'oct')?.exp);
  expect(replica(rotated, env, retiresAt - 1).deviceOf(old, ADA)).toBeDefined();
  expect(replica(rotated, env, retiresAt).deviceOf(old, ADA)).toBeUndefined();
});
