import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Email, Role } from '../../src/users/user.ts';

describe('an email', () => {
  test.each([
    'ada@example.com',
    "o'brien+news.2026@mail.example.co.uk",
    '!#$%&*/=?^_`{|}~-@example.org',
    'дмитрий@почта.рф',
    '用户@例子.公司',
    'ada@xn--bcher-kva.example',
    `${'a'.repeat(64)}@example.com`,
    'a@b.cd',
  ])('may be %s', (email) => {
    expect(Email.parse(email)).toBe(email);
  });

  test.each([
    ['', 'nothing'],
    ['ada', 'no domain'],
    ['@example.com', 'no name'],
    ['ada@example', 'no dot in the domain'],
    ['ada@@example.com', 'two signs'],
    ['ada@.com', 'an empty label'],
    ['ada@example..com', 'an empty label inside'],
    ['ada@-example.com', 'a label with a hyphen first'],
    ['ada@example-.com', 'a label with a hyphen last'],
    ['ada@example.c', 'a top-level domain of one letter'],
    ['ada lovelace@example.com', 'a blank'],
    [' ada@example.com', 'a blank before it'],
    ['ada@example.com\n', 'a line break behind it'],
    ['ada\u0000@example.com', 'a NUL'],
    ['ada\u202e@example.com', 'a sign that turns the direction'],
    ['ada\u200b@example.com', 'a blank of no width'],
    ['<ada@example.com>', 'angle brackets'],
    ['ada@example.com,bob@example.com', 'a second one'],
    ['ada@[192.0.2.1]', 'an address for a domain'],
    ['\ud800@example.com', 'a lone surrogate'],
    [`${'a'.repeat(65)}@example.com`, '65 characters before the sign'],
    [
      `ada@${'a'.repeat(60)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(63)}`,
      'more than 254 characters',
    ],
  ])('may not be %j: %s', (email) => {
    expect(Email.safeParse(email).success).toBe(false);
  });

  test.each([
    ['Ada.Lovelace@Example.COM', 'ada.lovelace@example.com'],
    ['Ju\u0308rgen@example.com', 'j\u00fcrgen@example.com'],
    ['JÜRGEN@EXAMPLE.COM', 'jürgen@example.com'],
    ['Å@example.com', 'å@example.com'], // the sign for Ångström
  ])('%s is stored as %s', (typed, stored) => {
    expect(Email.parse(typed)).toBe(stored);
  });

  test('that is accepted is accepted again as itself, in its stored spelling', () => {
    const local = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(local, fc.domain(), (name, domain) => {
        const { data } = Email.safeParse(`${name}@${domain}`);
        fc.pre(data !== undefined);
        expect(Email.parse(data)).toBe(data);
        expect(data).toBe(data.toLowerCase().normalize('NFC'));
      }),
    );
  });

  test('made to be hard to match is refused in a few milliseconds', () => {
    const start = performance.now();
    for (const hostile of [
      `a@${'a.'.repeat(125)}`,
      `a@${'a-'.repeat(120)}.`,
      `${'a'.repeat(253)}@`,
      'é'.repeat(1e6),
    ]) {
      expect(Email.safeParse(hostile).success).toBe(false);
    }
    expect(performance.now() - start).toBeLessThan(200);
  });
});

describe('a role', () => {
  test.each(['admin', 'a', '0', 'team:billing', 'read.all', 'a_b-c', 'x'.repeat(32)])('may be %s', (role) => {
    expect(Role.parse(role)).toBe(role);
  });

  test.each(['', 'Admin', '-a', ':a', 'a b', 'a,b', 'a\n', 'a\r\nx: y', 'é', 'x'.repeat(33)])(
    'may not be %j',
    (role) => {
      expect(Role.safeParse(role).success).toBe(false);
    },
  );
});
