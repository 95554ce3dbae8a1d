import { argon2id, hash } from 'argon2';
import { describe, expect, test } from 'vitest';
import { createHasher } from '../../../src/factors/passwords/hasher.ts';

const TODAY = { memoryKib: 19_456, timeCost: 2, parallelism: 1 };
const PASSWORD = 'violet otters play chess';

const hasher = createHasher(TODAY);
const stored = await hasher.hash(PASSWORD);

function withParameters(parameters: string): string {
  return stored.replace('m=19456,t=2,p=1', parameters);
}

describe('a hash', () => {
  test('is argon2id of version 1.3 with the configured parameters', () => {
    expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
  });

  test('has a salt of its own', async () => {
    expect(await hasher.hash(PASSWORD)).not.toBe(stored);
  });

  test('belongs to its password', async () => {
    expect(await hasher.verify(stored, PASSWORD)).toBe(true);
  });

  test.each(['violet otters play chess ', 'Violet otters play chess', 'violet otters play ches', ''])(
    'does not belong to %o',
    async (password) => {
      expect(await hasher.verify(stored, password)).toBe(false);
    },
  );

  test.each([
    ['a NUL', 'violet otters\u0000 play', 'violet otters\u0000 stay'],
    ['the 255th byte', `${'é'.repeat(127)}a`, `${'é'.repeat(127)}b`],
  ])('covers what comes after %s', async (_what, password, other) => {
    const own = await hasher.hash(password);
    expect(await hasher.verify(own, password)).toBe(true);
    expect(await hasher.verify(own, other)).toBe(false);
  });

  test('made with other parameters is verified with those', async () => {
    const stronger = await hash(PASSWORD, {
      type: argon2id,
      memoryCost: 32_768,
      timeCost: 3,
      parallelism: 2,
    });
    expect(await hasher.verify(stronger, PASSWORD)).toBe(true);
    expect(await hasher.verify(stronger, 'violet otters play go')).toBe(false);
  });
});

describe('no password belongs', () => {
  test.each([
    ['to a user without one', null],
    ['to nobody', undefined],
    ['to an empty hash', ''],
    ['to a text that is no hash', 'violet otters play chess'],
    ['to an argon2i hash', stored.replace('argon2id', 'argon2i')],
    ['to a bcrypt hash', '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy'],
    ['to a hash that asks for more memory than is allowed', withParameters('m=1048577,t=2,p=1')],
    ['to a hash that asks for more passes than are allowed', withParameters('m=19456,t=17,p=1')],
    ['to a hash that asks for more lanes than are allowed', withParameters('m=19456,t=2,p=17')],
    ['to a hash that asks for 4 TiB', withParameters('m=4294967295,t=2,p=1')],
    ['to a hash without memory', withParameters('m=0,t=2,p=1')],
    ['to a hash with less memory than its lanes need', withParameters('m=8,t=2,p=4')],
    ['to a hash without passes', withParameters('m=19456,t=0,p=1')],
    ['to a hash without lanes', withParameters('m=19456,t=2,p=0')],
    ['to a hash with a line break behind it', `${stored}\n`],
    ['to a hash whose digest is cut', stored.slice(0, -30)],
  ])('%s', async (_whom, storedHash) => {
    expect(await hasher.verify(storedHash, PASSWORD)).toBe(false);
  });
});

describe('a hash is made anew', () => {
  test.each([
    ['with less memory', 'm=12288,t=2,p=1', true],
    ['with fewer passes', 'm=19456,t=1,p=1', true],
    ["with today's parameters", 'm=19456,t=2,p=1', false],
    ['with more of both', 'm=65536,t=3,p=1', false],
  ])('when it was made %s: %s → %o', (_how, parameters, isRehashed) => {
    expect(hasher.needsRehash(withParameters(parameters))).toBe(isRehashed);
  });

  test('never when it cannot be read', () => {
    expect(hasher.needsRehash('not a hash')).toBe(false);
  });
});
