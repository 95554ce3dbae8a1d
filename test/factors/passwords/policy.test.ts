import { randomBytes } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { dictionary } from '@zxcvbn-ts/language-common';
import { describe, expect, test } from 'vitest';
import { createGuesses } from '../../../src/factors/passwords/guesses.ts';
import { createLazyPasswordPolicy } from '../../../src/factors/passwords/lazy-policy.ts';
import { createPasswordPolicy, EXAMPLES } from '../../../src/factors/passwords/policy.ts';

const EMAIL = 'ada.lovelace@analytical.example';
const policy = createPasswordPolicy({ minLength: 15, takesExamples: false });
const local = createPasswordPolicy({ minLength: 15, takesExamples: true });
const short = createPasswordPolicy({ minLength: 8, takesExamples: false });

const TOO_SHORT = 'Must have at least 15 characters';
const GUESSABLE =
  'Must be harder to guess: common words, repeats and runs like 123 or qwerty count for little';
const KNOWN = 'Must not have a phrase that everybody knows, or that the documentation shows';
const CONTEXT = 'Must not be made of your email or of idcard';

describe('a new password is good', () => {
  test.each([
    'zebra quilt lantern sofa',
    'seven quiet owls over Porto',
    'kqzvwxjmhtrnbpd', // no digit, no sign, no capital
    '739105826417395', // digits alone
    'пять синих черепах',
    '紫色獺下西洋棋好快樂真好玩呀呢',
    '🦦🎻🧊🪁🌋🧶🥨🦚🛶🪲🎷🧭🌵🦴🪀',
    `${'x'.repeat(8)}zebra quilt lantern sofa`,
    'lovelace zebra quilt lantern sofa',
    'zebra\u0000quilt\u0007lantern',
    '019a5b3c-7e1d-7c44-9f0a-3b2c1d0e9f8a',
    '~T?O>v$S/e:W?U#', // signs between the letters, but not one sign
    'xupgy3-dozxyn-mevHak',
  ])('when it is %j', (password) => {
    expect(policy.objection(password, EMAIL)).toBeUndefined();
  });

  test('with 64 characters of four bytes', () => {
    const password = Array.from({ length: 64 }, (_, index) =>
      String.fromCodePoint(0x1f600 + ((index * 7) % 64)),
    );
    expect(policy.objection(password.join(''), EMAIL)).toBeUndefined();
  });

  // The list of the EFF, 12.9 bits a word.
  test.each([' ', '-', '.', ''])(
    'when it is four, five or six random words of a list, joined by %j',
    (joint) => {
      const words = dictionary['diceware-common'];
      const random = seeded(1);
      const passphrases = Array.from({ length: 3000 }, (_, index) =>
        Array.from({ length: 4 + (index % 3) }, () => words[random(words.length)]).join(joint),
      ).filter((passphrase) => passphrase.length >= 15);
      expect(passphrases.length).toBeGreaterThan(2900);
      expect(passphrases.filter((passphrase) => policy.objection(passphrase, EMAIL))).toEqual([]);
    },
  );

  const letters = 'abcdefghijklmnopqrstuvwxyz';
  test.each([
    ['letters', letters, 15, policy],
    ['letters and digits', `${letters}0123456789`, 15, policy],
    ['letters of both cases and digits', `${letters}${letters.toUpperCase()}0123456789`, 15, policy],
    [
      'anything on a keyboard',
      String.fromCharCode(...Array.from({ length: 94 }, (_, at) => 33 + at)),
      15,
      policy,
    ],
    ['letters', letters, 10, short],
    ['letters of both cases and digits', `${letters}${letters.toUpperCase()}0123456789`, 10, short],
  ])('when it is random %s', (_what, alphabet, length, chosen) => {
    const random = seeded(2);
    const passwords = Array.from({ length: 2000 }, () =>
      Array.from({ length }, () => alphabet[random(alphabet.length)]).join(''),
    );
    expect(passwords.filter((password) => chosen.objection(password, EMAIL))).toEqual([]);
  });

  test('when it is 8 random characters, where so few are enough, but for one in a hundred at most', () => {
    const random = seeded(3);
    const passwords = Array.from({ length: 2000 }, () =>
      Array.from({ length: 8 }, () => String.fromCharCode(0x21 + random(94))).join(''),
    );
    expect(passwords.filter((password) => short.objection(password, EMAIL)).length).toBeLessThan(20);
  });
});

describe('a new password is too short', () => {
  test('below the configured length', () => {
    expect(policy.objection('kqzvwxjmhtrnbp', EMAIL)?.detail).toBe(TOO_SHORT);
    expect(policy.objection('kqzvwxjmhtrnbpd', EMAIL)).toBeUndefined();
    expect(short.objection('kqzvwxj', EMAIL)?.detail).toBe('Must have at least 8 characters');
    expect(short.objection('kqzvwxjm', EMAIL)).toBeUndefined();
    expect(short.objection('Tr0ut-bk', EMAIL)).toBeUndefined();
  });

  test('by characters, of which an emoji is one and not two', () => {
    const emoji = '🦦🎻🧊🪁🌋🧶🥨🦚🛶🪲🎷🧭🌵🦴';
    expect(emoji).toHaveLength(28);
    expect(policy.objection(emoji, EMAIL)?.detail).toBe(TOO_SHORT);
  });

  test('without the NUL that makes it long enough', () => {
    expect(policy.objection('kqzvwxjmhtrnbp\u0000', EMAIL)).toBeUndefined();
  });
});

describe('what a guesser needs is the sum of the cheapest parts:', () => {
  const guesses = createGuesses();
  test.each([
    ['iloveyouforever', 13, 16],
    ['thisismypassword', 22, 27],
    ['violet otters play chess', 49, 56],
    ['zebra quilt lantern sofa', 65, 70],
    ['passwordpassword1', 5, 8],
    ['loveloveloveloveyou', 6, 15],
    ['qwertyuiopasdfghjkl', 8, 13],
  ])('%j needs from %i to %i bits', (password, least, most) => {
    expect(guesses.need(least, password)).toBe(true);
    expect(guesses.need(most, password)).toBe(false);
  });
});

describe('a new password is refused as one that is easy to guess', () => {
  test.each([
    'iloveyouforever',
    'thisismypassword',
    'This Is My Password!',
    'thisismypassword2026',
    'Th1s1sMyP4$$w0rd',
    'thísísmypásswörd',
    'ｉｌｏｖｅｙｏｕｆｏｒｅｖｅｒ', // fullwidth
    'i\u200blove\u00adyou\u2060forever', // with what cannot be seen
    'reverofuoyevoli',
    'monkeydragonmaster',
    'letmeinletmeinletmein',
    'password password password',
    'ilovechocolatecake',
    'welcometothejungle',
    'happybirthdaytoyou',
    'michaeljordan1984',
    'Summer2024Summer2024!',
    'administrator123',
    'changeme!changeme!',
    'violet otters p',
    'momsanaladventure',
    'MomsAnalAdventure',
    'hd764nw5d7e1vbv',
    'momsanaladventure2026!',
    '!!!!momsanaladventure',
    'p a s s w o r d 1 2 3',
    'p.a.s.s.w.o.r.d.',
    'l-e-t-m-e-i-n-please',
    'a b c d e f g h i j k l m n',
  ])('%j', (password) => {
    for (const chosen of [policy, short]) expect(chosen.objection(password, EMAIL)?.detail).toBe(GUESSABLE);
  });

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
    '1qaz2wsx3edc4rfv5tgb',
    '!@#$%^&*()_+{}|',
    'aaaaabbbbbcccccddddd',
    'a-b-a-b-a-b-a-b-a-b',
    '😀'.repeat(20),
    '\u0301'.repeat(20),
    'otter otter otter otter otter ',
    'abc123abc123abc123abc',
  ])('for its repeats and runs: %j', (password) => {
    expect(policy.objection(password, EMAIL)?.detail).toBe(GUESSABLE);
  });

  test.each([
    ...['12345678', '87654321', 'aaaaaaaa', 'abababab', 'abcdefgh', 'qwertyui', 'qwer1234', 'aaaabbbb'],
    ...['baseball', 'Trustno1', 'Sunshine2026!', '1qaz2wsx', 'iloveyou!!!', '2026princess', 'v otters'],
  ])('%j where 8 characters are enough', (password) => {
    expect(short.objection(password, EMAIL)?.detail).toBe(GUESSABLE);
  });
});

describe('a new password is refused when it has a phrase that everybody knows', () => {
  test.each([
    'correct horse battery staple',
    'correcthorsebatterystaple',
    'Correct-Horse-Battery-Staple',
    'CORRECT HORSE BATTERY STAPLE!',
    'correct_horse.battery,staple 1',
    'c0rrect h0rse b@ttery 5taple',
    'the quick brown fox jumps over',
    'MayTheForceBeWithYou',
    'YoullNeverWalkAlone!',
    'Supercalifragilisticexpialidocious1',
  ])('%j', (password) => {
    for (const chosen of [policy, local, short])
      expect(chosen.objection(password, EMAIL)?.detail).toBe(KNOWN);
  });

  test.each(
    EXAMPLES.flatMap((example) => [
      example,
      example.toUpperCase(),
      example.replaceAll(' ', ''),
      `${example}!`,
    ]),
  )('%j, which the documentation shows, but where it is tried out', (password) => {
    expect(policy.objection(password, EMAIL)?.detail).toBe(KNOWN);
    expect(local.objection(password, EMAIL)).toBeUndefined();
  });

  test.each([
    ['http://localhost:3000', undefined],
    ['http://127.0.0.1:8080', undefined],
    ['http://[::1]:3000', undefined],
    ['https://localhost', undefined],
    ['https://login.example.com', KNOWN],
    ['https://localhost.example.com', KNOWN],
    ['https://127.0.0.1.example.com', KNOWN],
    ['http://192.168.0.2:3000', KNOWN],
  ])('and it is tried out at the address %s or not', async (publicUrl, objection) => {
    const lazy = createLazyPasswordPolicy({ minLength: 15 }, publicUrl);
    for (const example of EXAMPLES) expect((await lazy.objection(example, EMAIL))?.detail).toBe(objection);
  });

  test('every password that is shown somewhere is among them', () => {
    const files = globSync([
      ...['*.md', 'docs/**/*.md', 'deploy/**/*', 'examples/**/*.{ts,html,md}', 'src/pages/*', '*.yaml'],
      ...['postman/*.json', 'src/routes/*.ts', 'src/serve/*.ts', 'src/factors/passwords/password.ts'],
    ]).filter((file) => /\.\w+$/.test(file) && !file.endsWith('.png') && !file.includes('node_modules'));
    const shown = files
      .flatMap((file) => [
        ...readFileSync(file, 'utf8').matchAll(
          /(?:password\\?["']?(?: ?:?= ?|: ?|\()|\becho )\\?["'`]?([a-z]+(?: [a-z]+){3,})/gi,
        ),
      ])
      .map(([, phrase = '']) => phrase);
    expect(shown.length).toBeGreaterThan(15);
    expect(new Set(shown)).toEqual(new Set(EXAMPLES));
  });
});

describe('a new password is refused when little but context is left', () => {
  test.each([
    EMAIL,
    EMAIL.toUpperCase(),
    `${EMAIL}1`,
    'analytical-lovelace',
    'Lovelace2026Ada!',
    'my-idcard-lovelace',
  ])('%j', (password) => {
    expect(policy.objection(password, EMAIL)?.detail).toBe(CONTEXT);
  });

  test.each(['idcard idcard idcard', 'my-idcard-idcard', 'idcard idcard ada lovelace'])('%j', (password) => {
    expect(policy.objection(password, EMAIL)?.detail).toBeTypeOf('string');
  });

  test('and the same one is good for somebody else', () => {
    expect(policy.objection('analytical-lovelace', 'bob@example.com')).toBeUndefined();
  });
});

test('no objection repeats the password', () => {
  const passwords = [
    'otters',
    'zyxwvutsrqponmlkj',
    'momsanaladventure',
    'analytical-lovelace',
    EXAMPLES[0] ?? '',
  ];
  for (const password of passwords) {
    const objection = policy.objection(password, EMAIL)?.detail;
    expect(objection).toBeTypeOf('string');
    expect(objection?.toLowerCase()).not.toContain(password);
  }
});

test('a hostile password of 256 bytes costs a few milliseconds', () => {
  const passwords = [
    ...[`${'ab'.repeat(127)}c`, `${'a'.repeat(255)}b`, 'é'.repeat(128), '!'.repeat(256), '\ufb1d'.repeat(85)],
    ...[
      'p4ssw0rd1'.repeat(28),
      'password123456qwertydragon'.repeat(9),
      randomBytes(192).toString('base64url'),
      `1${'\ufdfa'.repeat(81)}xq7z9kvw2m`,
    ],
  ];
  const before = process.cpuUsage();
  for (const password of passwords) {
    for (let round = 0; round < 10; round++) policy.objection(password, `${'a.'.repeat(31)}a@example.com`);
  }
  const { user } = process.cpuUsage(before);
  expect(user / 1000 / passwords.length / 10).toBeLessThan(20);
});

/** Numbers below a bound that are the same in every run: mulberry32. */
function seeded(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}
