import fc from 'fast-check';

/** One change to a text; the offsets are taken modulo its length. */
type Change = (text: string) => string;

const offset = fc.nat(4096);
const ALPHABET = 'AZaz09-_.=+/ ,;%{}"\\\0\r\n\t\u00e9\u00a0\u2028\ufeff';
const insertion = fc.string({ unit: fc.constantFrom(...ALPHABET), maxLength: 3 });

/** Cut some characters out, and put others there. */
const splice = fc.tuple(offset, fc.nat(4), insertion).map(
  ([at, length, inserted]): Change =>
    (text) => {
      const start = at % (text.length + 1);
      return text.slice(0, start) + inserted + text.slice(start + length);
    },
);

/** Another character of the same alphabet in one place: the segment stays well-formed. */
const respelling = fc.tuple(offset, fc.base64String({ minLength: 4, maxLength: 4 })).map(
  ([at, characters]): Change =>
    (text) => {
      const start = at % Math.max(text.length, 1);
      return text.slice(0, start) + (characters.replace(/[+/=]/g, '_')[0] ?? '') + text.slice(start + 1);
    },
);

/** Another last character, whose unused bits may spell the same bytes (RFC 4648 §3.5). */
const lastCharacter = fc
  .constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')
  .map(
    (character): Change =>
      (text) =>
        text.slice(0, -1) + character,
  );

/** Bits of one segment flipped, so that the text is as canonical as before. */
const bitFlip = fc.tuple(fc.nat(2), offset, fc.nat(7)).map(
  ([segment, at, bit]): Change =>
    inSegment(segment, (bytes) => {
      const index = at % Math.max(bytes.length, 1);
      return bytes.map((byte, position) => (position === index ? byte ^ (1 << bit) : byte));
    }),
);

/** Bytes lost or added at the end of one segment. */
const resize = fc
  .tuple(fc.nat(2), fc.integer({ min: -8, max: 8 }))
  .map(
    ([segment, by]): Change =>
      inSegment(segment, (bytes) =>
        by < 0 ? bytes.subarray(0, by) : Buffer.concat([bytes, Buffer.alloc(by)]),
      ),
  );

/** A member of the header or of the claims set anew, with the signature left as it was. */
const edit = fc
  .tuple(
    fc.nat(1),
    fc.constantFrom(
      'alg',
      'typ',
      'kid',
      'crit',
      'jwk',
      'iss',
      'sub',
      'aud',
      'exp',
      'iat',
      'ver',
      'roles',
      'cnf',
      'ath',
      'htu',
      'nonce',
      '__proto__',
    ),
    fc.oneof(
      fc.constantFrom('none', 'HS256', 'at+jwt', 'rt+jwt', 'api', 'admin'),
      fc.jsonValue({ maxDepth: 1 }),
    ),
  )
  .map(([segment, member, value]): Change => inSegment(segment, (bytes) => withMember(bytes, member, value)));

/** Segments dropped, repeated, or in another order. */
const shuffle = fc.array(fc.nat(2), { maxLength: 5 }).map(
  (order): Change =>
    (text) =>
      order.map((index) => text.split('.')[index] ?? '').join('.'),
);

/** A segment of another real token. */
const transplant = (others: readonly string[]) =>
  fc.tuple(fc.nat(2), fc.constantFrom(...others)).map(
    ([segment, donor]): Change =>
      (text) =>
        text
          .split('.')
          .map((own, index) => (index === segment ? (donor.split('.')[index] ?? own) : own))
          .join('.'),
  );

/** A text that was changed in one to three of these ways. */
export function mutationOf(others: readonly string[]): fc.Arbitrary<Change> {
  const change = fc.oneof(
    splice,
    respelling,
    lastCharacter,
    bitFlip,
    resize,
    edit,
    shuffle,
    transplant(others),
  );
  return fc.array(change, { minLength: 1, maxLength: 3 }).map(
    (changes): Change =>
      (text) =>
        changes.reduce((changed, next) => next(changed), text),
  );
}

function inSegment(segment: number, change: (bytes: Buffer) => Uint8Array | string): Change {
  return (text) =>
    text
      .split('.')
      .map((own, index) =>
        index === segment ? Buffer.from(change(Buffer.from(own, 'base64url'))).toString('base64url') : own,
      )
      .join('.');
}

function withMember(bytes: Buffer, member: string, value: unknown): string {
  try {
    return JSON.stringify({ ...JSON.parse(bytes.toString()), [member]: value });
  } catch {
    return bytes.toString(); // an earlier change left no JSON
  }
}
