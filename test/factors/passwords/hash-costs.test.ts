import * as argon2 from 'argon2';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { readConfig } from '../../../src/config/config.ts';
import { createHasher, type Hasher } from '../../../src/factors/passwords/hasher.ts';

vi.mock('argon2', { spy: true });

const PASSWORD = 'violet otters play chess';
const DEFAULTS = readConfig({}).passwords.argon2;
const RAISED = { memoryKib: 38_912, timeCost: 2, parallelism: 1 };
const set = (memoryKib: number, timeCost = 1, parallelism = 1) => ({ memoryKib, timeCost, parallelism });

let hasher: Hasher;
beforeEach(() => {
  hasher = createHasher(RAISED);
});

const text = ({ memoryKib, timeCost, parallelism }: typeof RAISED) =>
  `m=${memoryKib},t=${timeCost},p=${parallelism}`;

async function hashOf(parameters: typeof RAISED): Promise<string> {
  return createHasher(parameters).hash(PASSWORD);
}

/** The parameters of every hash that a comparison cost, cheapest first. */
async function costs(storedHash: string | null | undefined, password = 'a wrong one'): Promise<string[]> {
  vi.mocked(argon2.hash).mockClear();
  vi.mocked(argon2.verify).mockClear();
  await hasher.verify(storedHash, password);
  const hashed = vi
    .mocked(argon2.hash)
    .mock.calls.map(
      ([, options]) => `m=${options?.memoryCost},t=${options?.timeCost},p=${options?.parallelism}`,
    );
  const compared = vi.mocked(argon2.verify).mock.calls.map(([stored]) => stored.split('$')[3] ?? '');
  return [...hashed, ...compared].sort();
}

describe('a password that is wrong costs one hash of each set of parameters in use', () => {
  test("which are today's alone where nothing was ever raised", async () => {
    hasher = createHasher(DEFAULTS);
    const [usual] = [text(DEFAULTS)];
    for (const storedHash of [await hashOf(DEFAULTS), undefined, null, '', 'no hash', '$2b$10$abc'])
      expect(await costs(storedHash)).toEqual([usual]);
  });

  test('and the defaults from the start where the configuration was raised', async () => {
    const both = [text(DEFAULTS), text(RAISED)];
    const hashes = [undefined, null, await hashOf(DEFAULTS), await hashOf(RAISED), 'no hash'];
    for (const storedHash of hashes) expect(await costs(storedHash)).toEqual(both);
  });

  test('and another as soon as it was met', async () => {
    const other = set(1024);
    const three = [text(other), text(DEFAULTS), text(RAISED)];
    for (const storedHash of [await hashOf(other), undefined, await hashOf(DEFAULTS), await hashOf(RAISED)])
      expect(await costs(storedHash)).toEqual(three);
  });

  test('and another as soon as somebody has logged in with one, so that the first failure of all tells nothing', async () => {
    const other = set(1024);
    expect(await costs(await hashOf(other), PASSWORD)).toEqual([text(other)]);
    expect(await costs(undefined)).toEqual([text(other), text(DEFAULTS), text(RAISED)]);
  });

  test('but four sets at most, of which the closest stands for one more', async () => {
    const others = [set(1024), set(2048)];
    const four = [...others, DEFAULTS, RAISED].map(text);
    for (const other of others) await costs(await hashOf(other));
    expect(await costs(undefined)).toEqual(four.toSorted());
    const fifth = set(2000);
    expect(await costs(await hashOf(fifth))).toEqual(
      [...four.filter((kept) => kept !== text(set(2048))), text(fifth)].toSorted(),
    );
    expect(await costs(undefined)).toEqual(four.toSorted());
  });
});

test('the right password costs its own hash', async () => {
  expect(await costs(await hashOf(DEFAULTS), PASSWORD)).toEqual([text(DEFAULTS)]);
  expect(await costs(await hashOf(RAISED), PASSWORD)).toEqual([text(RAISED)]);
});

describe('a stored hash that asks for too much is never computed', () => {
  const BOUNDS: [today: typeof RAISED, taken: typeof RAISED, refused: typeof RAISED][] = [
    [DEFAULTS, set(155_648, 4), set(155_649, 1)], // 8 × 19456
    [DEFAULTS, set(62_259, 10), set(62_260, 10)], // 16 × 38912
    [DEFAULTS, set(38_912, 16, 16), set(38_913, 16, 16)],
    [RAISED, set(311_296, 4), set(311_297, 1)],
    [set(1_048_576, 2), set(1_048_576, 16), set(1_048_577, 1)],
  ];
  const withParameters = (parameters: typeof RAISED) =>
    `$argon2id$v=19$${text(parameters)}$${'A'.repeat(22)}$${'B'.repeat(43)}`;

  test.each(BOUNDS)('where %o is configured, %o is taken and %o is not', (today, taken, refused) => {
    hasher = createHasher(today);
    expect(hasher.objectionTo(withParameters(taken))).toBeUndefined();
    expect(hasher.objectionTo(withParameters(refused))).toMatch(/^(asks for|is no argon2id hash)/);
  });

  test.each([set(1_048_576, 16), set(1_048_576, 1), set(155_649, 1), set(65_536, 10)])(
    'such as one with %o, which costs what nobody costs',
    async (parameters) => {
      hasher = createHasher(DEFAULTS);
      expect(await costs(withParameters(parameters), PASSWORD)).toEqual([text(DEFAULTS)]);
    },
  );
});
