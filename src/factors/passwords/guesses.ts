import { adjacencyGraphs, dictionary } from '@zxcvbn-ts/language-common';

/** How hard passwords are to guess for somebody who knows which ones people take. */
export interface Guesses {
  /**
   * Whether the password takes at least so many bits to guess, for somebody who knows how it is put together. The bits
   * are those of the cheapest way to write it as entries of the list of common passwords, each for the logarithm of its
   * rank, and as repeats, runs and single characters.
   * @param context what else is known, such as the email
   */
  need(bits: number, password: string, context?: readonly string[]): boolean;
}

/** A part of a password that is guessed as a whole. */
interface Piece {
  length: number;
  bits: number;
}

/** A single character that belongs to no word: one of 26 letters and 10 digits, one of 10 digits, one of some signs. */
const LETTER_BITS = Math.log2(36);
const DIGIT_BITS = Math.log2(10);
const SIGN_BITS = 5;
/** A sign that stood in the password before, as between words. Blanks cost nothing. */
const KNOWN_SIGN_BITS = 1;
/** The rank of the words of the email, and of the product's name. */
const CONTEXT_RANK = 2;
/** For one more word, and for what is between the words. Short words cost no joint. */
const JOINT_BITS = 2;
const LEAST_JOINED = 4;
/** For which earlier stretch comes again, or for which way a run goes. */
const REPEAT_BITS = 2;
/** Random words have shorter repeats and runs by chance. */
const LEAST_REPEAT = 4;
const LEAST_RUN = 4;
const LEAST_RUN_IN_PLACE = 3;
/** The commonest words of English that the list lacks: few of its entries are shorter than four letters. */
const SHORT_WORDS = (
  'a i to of in it is be as at so we he by or on do if me my up an go no us am oh hi the and for are but not you all ' +
  'any can had her was one our out day get has him his how man new now old see two way who did its let she'
).split(' ');

/** Reads the list of common passwords, which takes some time and some megabytes. */
export function createGuesses(): Guesses {
  /** Ranks, not bits: whole numbers take no memory of their own. */
  const ranks = new Map<string, number>();
  for (const entry of dictionary['passwords-common']) ranks.set(entry, ranks.size + 1);
  for (const word of SHORT_WORDS) ranks.set(word, SHORT_WORDS.length);
  const longest = longestOf(ranks.keys());

  function* wordsAt(start: number, text: string, context: ReadonlySet<string>): Generator<Piece> {
    const most = Math.min(text.length - start, Math.max(longest, longestOf(context)));
    for (let length = 1; length <= most; length++) {
      const word = text.slice(start, start + length);
      const rank = context.has(word) ? CONTEXT_RANK : ranks.get(word);
      const joint = start > 0 && length >= LEAST_JOINED ? JOINT_BITS : 0;
      if (rank !== undefined) yield { length, bits: Math.log2(rank) + joint };
    }
  }

  function isCheaper(enough: number, text: string, context: ReadonlySet<string>): boolean {
    const repeats = longestRepeats(text);
    const runs = longestRuns(text);
    /** What the text costs up to each place. */
    const bits = Array.from({ length: text.length + 1 }, (_, end) => (end === 0 ? 0 : enough));
    for (let start = 0; start < text.length; start++) {
      const before = bits[start] ?? 0;
      if (before >= enough) continue; // no way through this place is cheaper; for most passwords, this leaves little to do
      const single = bitsOf(text, start);
      const pieces = [
        { length: 1, bits: single },
        ...upTo(runs[start] ?? 0, 2, single + REPEAT_BITS),
        ...upTo(repeats[start] ?? 0, LEAST_REPEAT, REPEAT_BITS),
        ...wordsAt(start, text, context),
      ];
      for (const piece of pieces) {
        const end = start + piece.length;
        bits[end] = Math.min(bits[end] ?? 0, before + piece.bits);
      }
    }
    return (bits[text.length] ?? 0) < enough;
  }

  return {
    need(bits, password, context = []) {
      const words = new Set(context.map(plainText));
      return !readings(password).some((reading) => isCheaper(bits, reading, words));
    },
  };
}

/**
 * The readings of a text in plain letters: as it is, backwards, with the letters that its digits and signs may stand for,
 * and with words that are spelled out (`p.a.s.s`) put together.
 */
export function readings(text: string): string[] {
  const plain = plainText(text);
  const together = plain.replace(SPELLED_OUT, (letters, sign) => letters.replaceAll(sign, ''));
  const letters = plain.replace(/[@430$57!]/g, (sign) => STANDS_FOR[sign] ?? sign);
  const backwards = [...plain].reverse().join('');
  return [
    ...new Set([
      plain,
      backwards,
      together,
      letters,
      letters.replaceAll('1', 'i'),
      letters.replaceAll('1', 'l'),
    ]),
  ];
}

/** Characters one by one, with the same sign between them all. */
const SPELLED_OUT =
  /(?<![\p{L}\p{N}])[\p{L}\p{N}]([^\p{L}\p{N}])(?:[\p{L}\p{N}]\1)+[\p{L}\p{N}]?(?![\p{L}\p{N}])/gu;

// biome-ignore format: a table
const STANDS_FOR: Record<string, string> = { '@': 'a', 4: 'a', 3: 'e', '!': 'i', 0: 'o', $: 's', 5: 's', 7: 't' };

/**
 * Longer than any password, unless it has ligatures, of which one may stand for 18 characters. The time grows with the
 * square.
 */
const LONGEST = 256;

/** Without capitals, accents, and what cannot be seen; fullwidth letters and ligatures as the ordinary ones. */
function plainText(text: string): string {
  const plain = text.normalize('NFKD').replace(/[\p{M}\p{Default_Ignorable_Code_Point}]/gu, '');
  return plain.toLowerCase().normalize('NFC').slice(0, LONGEST);
}

function longestOf(words: Iterable<string>): number {
  let longest = 0;
  for (const { length } of words) longest = Math.max(longest, length);
  return longest;
}

function bitsOf(text: string, place: number): number {
  const character = text[place] ?? '';
  if (/[\p{L}\p{Cs}]/u.test(character)) return LETTER_BITS; // half of a surrogate pair, as of an emoji, counts as a letter
  if (/\p{N}/u.test(character)) return DIGIT_BITS;
  if (character === ' ') return 0;
  return text.indexOf(character) < place ? KNOWN_SIGN_BITS : SIGN_BITS;
}

function upTo(longest: number, least: number, bits: number): Piece[] {
  return Array.from({ length: Math.max(0, longest - least + 1) }, (_, more) => ({
    length: least + more,
    bits,
  }));
}

/** For each place: how many characters from there repeat an earlier stretch. */
function longestRepeats(text: string): number[] {
  const longest = Array.from({ length: text.length }, () => 0);
  for (let distance = 1; distance < text.length; distance++) {
    let length = 0;
    for (let place = text.length - 1; place >= distance; place--) {
      length = text[place] === text[place - distance] ? length + 1 : 0;
      longest[place] = Math.max(longest[place] ?? 0, length);
    }
  }
  return longest;
}

/**
 * For each place: how many characters from there go one way on the keyboard or in the alphabet, or are the same; 0 when
 * too few are.
 */
function longestRuns(text: string): number[] {
  const longest = Array.from({ length: text.length }, () => 0);
  for (const { goesOn, least } of WAYS) {
    let length = 1;
    for (let place = text.length - 2; place >= 0; place--) {
      length = goesOn(text[place] ?? '', text[place + 1] ?? '') ? length + 1 : 1;
      if (length >= least) longest[place] = Math.max(longest[place] ?? 0, length);
    }
  }
  return longest;
}

const KEYS: Readonly<Record<string, readonly (string | null)[]>> = adjacencyGraphs.qwerty;
const WAYS: readonly { goesOn: (from: string, to: string) => boolean; least: number }[] = [
  { goesOn: (from, to) => from === to, least: LEAST_RUN_IN_PLACE },
  ...[-1, 1].map((step) => ({
    goesOn: (from: string, to: string) => to.charCodeAt(0) - from.charCodeAt(0) === step,
    least: LEAST_RUN,
  })),
  ...[0, 1, 2, 3, 4, 5].map((side) => ({
    goesOn: (from: string, to: string) => KEYS[from]?.[side]?.includes(to) ?? false,
    least: LEAST_RUN,
  })),
];
