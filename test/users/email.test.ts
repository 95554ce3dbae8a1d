import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { appearanceOf, canonicalSpelling, Email, KnownEmail, spellingsOf } from '../../src/users/email.ts';

const LETTERS_63 = 'b'.repeat(63);

function objection(email: string): string | undefined {
  return Email.safeParse(email).error?.issues[0]?.message;
}

describe('a new email', () => {
  test.each([
    'ada@example.com',
    "o'brien+news.2026@mail.example.co.uk",
    '!#$%&*/=?^_`{|}~-@example.org',
    'дмитрий@почта.рф',
    '用户@例子.公司',
    'ada@faß.de',
    'ada@βόλος.com',
    'ada@क्\u200dष.com', // a joiner where the script needs one
    'ada@ル・ブラン.jp',
    'ada@l·l.cat',
    'ada@a--b.com',
    `${'a'.repeat(64)}@example.com`,
    `${'é'.repeat(32)}@example.com`,
    `ada@${LETTERS_63}.com`,
    `a@${LETTERS_63}.${LETTERS_63}.${LETTERS_63}.${'b'.repeat(60)}`,
    'a@b.cd',
    '=?@example.com',
    'i\u0307@example.com',
  ])('may be %s', (email) => {
    expect(Email.parse(email)).toBe(email);
  });

  test.each([
    ['Ada.Lovelace@Example.COM', 'ada.lovelace@example.com'],
    ['Ju\u0308rgen@example.com', 'j\u00fcrgen@example.com'],
    ['JÜRGEN@EXAMPLE.COM', 'jürgen@example.com'],
    ['\u212b@example.com', 'å@example.com'], // the sign for Ångström
    ['İ@example.com', 'i\u0307@example.com'],
    ['ΑΣ@example.com', 'ας@example.com'],
    ['ada@ｅxample.com', 'ada@example.com'],
    ['ada@exampl②.com', 'ada@exampl2.com'],
    ['ada@ﬁ.example', 'ada@fi.example'],
    ['ada@exam\u034fple.com', 'ada@example.com'],
    ['ada@münchen.de', 'ada@münchen.de'],
    ['ada@MÜNCHEN.de', 'ada@münchen.de'],
    ['ada@mu\u0308nchen.de', 'ada@münchen.de'],
    ['ada@xn--mnchen-3ya.de', 'ada@münchen.de'],
    ['ada@XN--MNCHEN-3YA.de', 'ada@münchen.de'],
    ['ada@xn--bcher-kva.bücher', 'ada@bücher.bücher'],
    ['ada@bücher.xn--bcher-kva', 'ada@bücher.bücher'],
    ['ada@example。com', 'ada@example.com'],
    ['ada@example．co｡uk', 'ada@example.co.uk'],
    ['ada@FAẞ.de', 'ada@faß.de'],
    ['ada@xn--fa-hia.de', 'ada@faß.de'],
    ['ada@İ.com', 'ada@i\u0307.com'],
    ['ada@xn--11b2ezcw70k.com', 'ada@क्\u200dष.com'],
    ['ada@ΒΌΛΟΣ.com', 'ada@βόλοσ.com'], // as UTS #46 has it
  ])('%s is stored as %s', (typed, stored) => {
    expect(Email.parse(typed)).toBe(stored);
    expect(Email.parse(stored)).toBe(stored);
  });

  test.each([
    ['', 'nothing'],
    ['@', 'nothing before the sign, and nothing behind it'],
    ['ada', 'no domain'],
    ['@example.com', 'no name'],
    ['ada@', 'nothing behind the sign'],
    ['ada@example', 'no dot in the domain'],
    ['ada@@example.com', 'two signs'],
    ['a@b@example.com', 'a sign in the name'],
    ['"a b"@example.com', 'a quoted name'],
    ['a..b@example.com', 'two dots in the name'],
    ['.a@example.com', 'a dot first'],
    ['a.@example.com', 'a dot last'],
    ['=?utf-8?q?ada?=@example.com', 'an encoded word'],
    ['ada@.com', 'an empty label'],
    ['ada@example..com', 'an empty label inside'],
    ['ada@example.com.', 'an empty label last'],
    ['ada@example.com。', 'an empty label last, behind an ideographic full stop'],
    ['ada@-example.com', 'a label with a hyphen first'],
    ['ada@example-.com', 'a label with a hyphen last'],
    ['ada@exam_ple.com', 'an underline in the domain'],
    ['ada@example.c', 'a top-level domain of one letter'],
    ['ada@example.123', 'a number for the top-level domain'],
    ['ada@127.0.0.1', 'an IP address'],
    ['ada@127.0.0.11', 'an IP address that looked like a domain'],
    ['ada@0x7f.1', 'an IP address in another notation'],
    ['ada@１２７.0.0.1', 'an IP address in fullwidth digits'],
    ['ada@[192.0.2.1]', 'an address for a domain'],
    ['ada@[IPv6:2001:db8::1]', 'an IPv6 address for a domain'],
    ['ada@xn--0049.com', 'punycode that means nothing'],
    ['ada@xn--a.com', 'punycode that means nothing'],
    ['ada@xn--.com', 'empty punycode'],
    ['ada@xn--abc-.com', 'punycode of plain letters'],
    ['ada@example.xn--0049', 'punycode that means nothing, last'],
    ['ada@xn--ls8h.la', 'punycode of a sign that no domain has'],
    ['ada@xn--8i7caa.com', 'punycode of fullwidth letters'],
    ['ada@%65xample.com', 'an encoded letter'],
    ['ada@exam\nple.com', 'a line break in the domain'],
    ['ada@exam\tple.com', 'a tab in the domain'],
    ['ada@example.com/path', 'a path'],
    ['ada@example.com?x', 'a query'],
    ['ada@example.com#x', 'a fragment'],
    ['ada@example.com\\x', 'a backslash'],
    ['ada@example.com:25', 'a port'],
    ['ada@exam\u00adple.com', 'a soft hyphen in the domain'],
    ['ada@a\u200db.com', 'a joiner where nothing is joined'],
    ['ada@\u3164.com', 'an invisible letter for a label'],
    ['ada@\u0301a.com', 'an accent first'],
    [`ada@${'a'.repeat(64)}.com`, 'a label of 64 letters'],
    [`ada@${'ü'.repeat(60)}.com`, 'a label of more than 63 letters in punycode'],
    ['ada lovelace@example.com', 'a blank'],
    [' ada@example.com', 'a blank before it'],
    ['ada@example.com\n', 'a line break behind it'],
    ['ada\r\nbcc:eve@example.com', 'a line break inside'],
    ['ada\u0000@example.com', 'a NUL'],
    ['ada\u202e@example.com', 'a sign that turns the direction'],
    ['ada\u200b@example.com', 'a blank of no width'],
    ['a\u200dda@example.com', 'a joiner in the name'],
    ['ada\ufffd@example.com', 'what stands for a byte that was lost'],
    ['ada@ex\ufffdmple.com', 'the same in the domain'],
    ['\u{e0061}da@example.com', 'a tag letter'],
    ['<ada@example.com>', 'angle brackets'],
    ['ada@example.com,bob@example.com', 'a second one'],
    ['\ud800@example.com', 'a lone surrogate'],
    [`${'a'.repeat(65)}@example.com`, '65 octets before the sign'],
    [`${'é'.repeat(33)}@example.com`, '66 octets before the sign'],
    [`ab@${LETTERS_63}.${LETTERS_63}.${LETTERS_63}.${'b'.repeat(60)}`, '255 octets'],
    [`${'é'.repeat(32)}@${`${'ü'.repeat(40)}.`.repeat(4)}de`, 'more than 254 octets with its punycode'],
  ])('may not be %j: %s', (email) => {
    expect(objection(email)).toMatch(/^Must be an email address$|^Must have 254 characters at most$/);
  });

  test.each([
    ['a fullwidth letter', 'ａda@example.com'],
    ['a ligature', 'ﬁn@example.com'],
    ['a digit in a circle', 'ada②@example.com'],
    ['a long s', 'ſam@example.com'],
    ['a fraction', 'ada½@example.com'],
    ['U+034F', 'a\u034fda@example.com'],
    ['U+3164', 'ada\u3164@example.com'],
    ['U+115F', 'ada\u115f@example.com'],
    ['U+1160', 'ada\u1160@example.com'],
    ['U+17B4', 'ada\u17b4@example.com'],
    ['U+180B', 'ada\u180b@example.com'],
    ['U+FFA0', 'ada\uffa0@example.com'],
    ['U+FE0F', 'ada\ufe0f@example.com'],
    ['U+E0100', 'ada\u{e0100}@example.com'],
  ])('with %s before the @ is refused with a sentence of its own', (_what, email) => {
    expect(objection(email)).toMatch(/^Must have ordinary letters before the @: none that are invisible/);
    expect(KnownEmail.parse(email)).toEqual([email]); // somebody may have it
  });

  test('is one for all its spellings, and accepted again as itself', () => {
    const local = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
    const label = fc
      .array(fc.oneof(fc.constantFrom(...'aZ9üÜßẞﬁ②ıİΣς・'), fc.string({ unit: 'grapheme', maxLength: 1 })), {
        minLength: 1,
        maxLength: 8,
      })
      .map((letters) => letters.join(''));
    fc.assert(
      fc.property(
        local,
        fc.oneof(
          fc.domain(),
          label.map((text) => `${text}.example`),
        ),
        (name, domain) => {
          const { data } = Email.safeParse(`${name}@${domain}`);
          fc.pre(data !== undefined);
          expect(Email.parse(data)).toBe(data);
          expect(data).toBe(data.normalize('NFC'));
          expect(appearanceOf(data)).toBe(data);
          for (const spelling of spellingsOf(`${name}@${domain}`)) expect(Email.parse(spelling)).toBe(data);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('made to be hard to match is refused in a few milliseconds', () => {
    const start = performance.now();
    for (const hostile of [
      `a@${'a.'.repeat(125)}`,
      `a@${'a-'.repeat(120)}.`,
      `${'a'.repeat(253)}@`,
      `${'a.'.repeat(126)}@`,
      `${'=?'.repeat(120)}@example.com`,
      'é'.repeat(1e6),
    ]) {
      expect(Email.safeParse(hostile).success).toBe(false);
      expect(KnownEmail.safeParse(hostile).success).toBe(false);
    }
    expect(performance.now() - start).toBeLessThan(200);
  });
});

describe('the spellings that the directory may have', () => {
  test.each([
    ['Ada@Example.com', ['ada@example.com']],
    ['ada@münchen.de', ['ada@münchen.de', 'ada@xn--mnchen-3ya.de']],
    ['ada@XN--mnchen-3ya.de', ['ada@münchen.de', 'ada@xn--mnchen-3ya.de']],
    ['ada@MÜNCHEN。de', ['ada@münchen.de', 'ada@xn--mnchen-3ya.de']],
    ['ada@ｅxample.com', ['ada@example.com', 'ada@ｅxample.com']],
    [
      'ada@xn--bcher-kva.Bücher',
      ['ada@bücher.bücher', 'ada@xn--bcher-kva.xn--bcher-kva', 'ada@xn--bcher-kva.bücher'],
    ],
    // Of what is no address today:
    ['A..b@example.com', ['a..b@example.com']],
    ['ada@127.0.0.11', ['ada@127.0.0.11']],
    ['ada@xn--0049.com', ['ada@xn--0049.com']],
    [`ada@${'a'.repeat(64)}.com`, [`ada@${'a'.repeat(64)}.com`]],
    [`${'Д'.repeat(64)}@example.com`, [`${'д'.repeat(64)}@example.com`]],
    // And of what was none before:
    ['ada@l·l.cat', ['ada@l·l.cat', 'ada@xn--ll-0ea.cat']],
    ['ada@ΒΌΛΟΣ.com', ['ada@βόλοσ.com', 'ada@xn--nxasmq6b.com']], // ada@βόλος.com is another's
    ['ada', []],
    ['ada@', []],
    ['@example.com', []],
    ['ada@example.com\n', []],
  ])('of %s are %j', (typed, spellings) => {
    expect(spellingsOf(typed)).toEqual(spellings);
    expect(KnownEmail.safeParse(typed).data ?? []).toEqual(spellings);
  });

  test.each([
    ['ﬁn@xn--mnchen-3ya.de', 'ﬁn@münchen.de', 'fin@münchen.de'],
    ['a\u034fda@example.com', 'a\u034fda@example.com', 'ada@example.com'],
    ['ada@ｅxample.com', 'ada@example.com', 'ada@example.com'],
    ['a..b@example.com', undefined, 'a..b@example.com'],
  ])('of %s the canonical one is %s, and it looks like %s', (email, canonical, appearance) => {
    expect(canonicalSpelling(email)).toBe(canonical);
    expect(appearanceOf(email)).toBe(appearance);
  });
});
