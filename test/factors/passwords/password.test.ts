import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KnownPassword, Password } from '../../../src/factors/passwords/password.ts';

function objection(password: unknown): string | undefined {
  return Password.safeParse(password).error?.issues[0]?.message;
}

describe('a password', () => {
  test.each([
    ['64 characters of four bytes', '😀'.repeat(64)],
    ['256 bytes', 'x'.repeat(256)],
    ['blanks at both ends', '  violet otters  '],
    ['a NUL', 'violet\u0000otters'],
    ['control characters and emoji', '\u0007\u001b🦦\r\n'],
    ['one character', 'x'],
  ])('may have %s, and stays as it is', (_what, password) => {
    expect(Password.parse(password)).toBe(password);
  });

  test.each([
    ['257 bytes', 'x'.repeat(257)],
    ['64 characters of four bytes and one more byte', `${'😀'.repeat(64)}x`],
    ['a megabyte', 'x'.repeat(1_048_576)],
  ])('of %s is refused and not cut', (_what, password) => {
    expect(objection(password)).toBe('Must have 256 bytes at most in UTF-8');
  });

  test('that is empty is refused', () => {
    expect(objection('')).toBe('Must not be empty');
  });

  test.each(['violet\ud800otters', '\udc00', 'violet otters\ud83d'])(
    'with the lone surrogate in %j is refused',
    (password) => {
      expect(objection(password)).toBe('Must be well-formed Unicode');
    },
  );

  test.each([[42], [null], [true], [['violet otters play chess']], [{}], [undefined]])(
    'that is %o and no text is refused, not converted',
    (value) => {
      expect(objection(value)).toBeTypeOf('string');
    },
  );

  test('typed as letter and accent is the one typed as one character', () => {
    expect(Password.parse('cafe\u0301 olé')).toBe(Password.parse('caf\u00e9 olé'));
  });

  test.each([
    ['\u00a0', 'a no-break space'],
    ['\u1680', 'an ogham space mark'],
    ['\u2000', 'an en quad'],
    ['\u2003', 'an em space'],
    ['\u202f', 'a narrow no-break space'],
    ['\u205f', 'a mathematical space'],
    ['\u3000', 'an ideographic space'],
  ])('with %j, %s, is the one with an ordinary blank', (blank) => {
    expect(Password.parse(`violet${blank}otters`)).toBe('violet otters');
    expect(KnownPassword.parse(`violet${blank}otters`)).toEqual([
      'violet otters',
      `violet${blank}otters`.normalize('NFC'),
    ]);
  });

  test.each([
    'violet otters',
    'violet\totters',
    'violet\u200botters',
    'violet\u2028otters',
    'violet\ufeffotters',
  ])('like %j has no other spelling: not every gap is a blank', (password) => {
    expect(Password.parse(password)).toBe(password);
    expect(KnownPassword.parse(password)).toEqual([password]);
  });

  test('is measured as it is hashed, and never compared in a spelling that was too long to be stored', () => {
    const blanks = '\u00a0'.repeat(200); // 400 bytes
    expect(Password.parse(blanks)).toBe(' '.repeat(200));
    expect(KnownPassword.parse(blanks)).toEqual([' '.repeat(200)]);
    expect(objection('\u00a0'.repeat(257))).toBe('Must have 256 bytes at most in UTF-8');
  });

  test('in compatibility characters is not the one in plain letters', () => {
    expect(Password.parse('ﬁn')).not.toBe(Password.parse('fin'));
  });

  test('is measured after normalization, which may make it longer', () => {
    const grows = '\ufb2c'; // 3 bytes, in NFC 6
    expect(Password.parse(grows.repeat(42))).toHaveLength(126);
    expect(objection(grows.repeat(43))).toBe('Must have 256 bytes at most in UTF-8');
  });
});

test('whatever is accepted is well-formed NFC of 256 bytes at most, and accepted again as itself', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 300 }), (text) => {
      const { data } = Password.safeParse(text);
      fc.pre(data !== undefined);
      expect(data).toBe(text.replace(/\p{Zs}/gu, ' ').normalize('NFC'));
      expect(Buffer.byteLength(data)).toBeLessThanOrEqual(256);
      expect(Password.parse(data)).toBe(data);
    }),
  );
});
