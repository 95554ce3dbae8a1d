import { randomInt } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createPasswordPolicy } from '../../src/passwords/policy.ts';

const EMAIL = 'ada.lovelace@analytical.example';
const policy = createPasswordPolicy(15);
const short = createPasswordPolicy(8);

const TOO_SHORT = 'Must have at least 15 characters';
const PREDICTABLE = 'Must not be made of repeats or of runs like 123 or qwerty';
const COMMON = 'Must not be a common password';
const CONTEXT = 'Must not be made of your email or of idcard';

describe('a new password is good', () => {
  test.each([
    'violet otters play chess',
    'nine lazy clouds over Turin',
    'correct horse battery staple',
    'kqzvwxjmhtrnbpd', // no digit, no sign, no capital
    '739105826417395', // digits alone
    'пять синих черепах',
    '紫色獺下西洋棋好快樂真好玩呀呢',
    '🦦🎻🧊🪁🌋🧶🥨🦚🛶🪲🎷🧭🌵🦴🪀',
    `${'x'.repeat(8)}violet otters play chess`,
    `lovelace ${'violet otters play chess'}`,
    'violet\u0000otters\u0007play',
  ])('when it is %j', (password) => {
    expect(policy.objection(password, EMAIL)).toBeUndefined();
  });

  test('with 64 characters of four bytes', () => {
    const password = Array.from({ length: 64 }, (_, index) =>
      String.fromCodePoint(0x1f600 + ((index * 7) % 64)),
    );
    expect(policy.objection(password.join(''), EMAIL)).toBeUndefined();
  });
});

describe('a new password is too short', () => {
  test('below the configured length', () => {
    expect(policy.objection('violet otters ', EMAIL)).toBe(TOO_SHORT);
    expect(policy.objection('violet otters p', EMAIL)).toBeUndefined();
    expect(short.objection('v otter', EMAIL)).toBe('Must have at least 8 characters');
    expect(short.objection('v otters', EMAIL)).toBeUndefined();
    expect(short.objection('Tr0ut-bk', EMAIL)).toBeUndefined();
  });

  test('by characters, of which an emoji is one and not two', () => {
    const emoji = '🦦🎻🧊🪁🌋🧶🥨🦚🛶🪲🎷🧭🌵🦴';
    expect(emoji).toHaveLength(28);
    expect(policy.objection(emoji, EMAIL)).toBe(TOO_SHORT);
  });

  test('without the NUL that makes it long enough', () => {
    expect(policy.objection('violet otters \u0000', EMAIL)).toBeUndefined();
  });
});

describe('a new password is refused for its repeats and runs', () => {
  test.each([
    'aaaaaaaaaaaaaaaaaaaa',
    '    '.repeat(5),
    'abcabcabcabcabcabc',
    'otterotterotterotter',
    'OtterotterOTTERotter',
    '123456789012345678',
    '987654321098765432',
    'abcdefghijklmnopqrstuvwxyz',
    'zyxwvutsrqponmlkj',
    'qwertyuiopasdfghjkl',
    'asdfghjklqwertyuiop',
    'aaaaabbbbbcccccddddd',
    '😀'.repeat(20),
    'otter otter otter otter otter ',
    'abc123abc123abc123abc',
  ])('%j', (password) => {
    expect(policy.objection(password, EMAIL)).toBe(PREDICTABLE);
  });
});

test.each(['12345678', '87654321', 'aaaaaaaa', 'abababab', 'abcdefgh', 'qwertyui', 'qwer1234', 'aaaabbbb'])(
  'a new password like %j is refused where 8 characters are enough',
  (password) => {
    expect(short.objection(password, EMAIL)).toBe(PREDICTABLE);
  },
);

test('hardly any random password is refused, however short it may be', () => {
  for (const [length, chosen] of [
    [8, short],
    [15, policy],
  ] as const) {
    const refused = Array.from({ length: 1000 }, () => randomPassword(length)).filter((password) =>
      chosen.objection(password, EMAIL),
    );
    expect(refused.length).toBeLessThan(30);
  }
});

describe('a new password is refused as a common one', () => {
  test.each([
    'momsanaladventure',
    'MomsAnalAdventure',
    'hd764nw5d7e1vbv',
    'momsanaladventure2026!',
    '!!!!momsanaladventure',
  ])('%j', (password) => {
    expect(policy.objection(password, EMAIL)).toBe(COMMON);
  });

  test.each(['baseball', 'Trustno1', 'Sunshine2026!', '1qaz2wsx', 'iloveyou!!!', '2026princess'])(
    '%j where 8 characters are enough',
    (password) => {
      expect(short.objection(password, EMAIL)).toBeTypeOf('string');
    },
  );
});

describe('a new password is refused when little but context is left', () => {
  test.each([
    EMAIL,
    EMAIL.toUpperCase(),
    `${EMAIL}1`,
    'analytical-lovelace',
    'Lovelace2026Ada!',
    'idcard idcard ada lovelace',
    'my-idcard-idcard',
  ])('%j', (password) => {
    expect(policy.objection(password, EMAIL)).toBe(CONTEXT);
  });

  test('and the same one is good for somebody else', () => {
    expect(policy.objection('analytical-lovelace', 'bob@example.com')).toBeUndefined();
  });
});

test('no objection repeats the password', () => {
  const passwords = ['otters', 'zyxwvutsrqponmlkj', 'momsanaladventure', 'analytical-lovelace'];
  for (const password of passwords) {
    const objection = policy.objection(password, EMAIL);
    expect(objection).toBeTypeOf('string');
    expect(objection?.toLowerCase()).not.toContain(password);
  }
});

test('a hostile password of 256 bytes is judged in a few milliseconds', () => {
  const start = performance.now();
  for (const password of [`${'ab'.repeat(127)}c`, `${'a'.repeat(255)}b`, 'é'.repeat(128), '!'.repeat(256)]) {
    for (let round = 0; round < 10; round++) policy.objection(password, `${'a.'.repeat(31)}a@example.com`);
  }
  expect((performance.now() - start) / 40).toBeLessThan(20);
});

function randomPassword(length: number): string {
  return Array.from({ length }, () => String.fromCodePoint(randomInt(0x21, 0x7f))).join('');
}
