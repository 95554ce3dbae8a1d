import { createGuesses, readings } from './guesses.ts';

export interface PasswordPolicy {
  /** Why a new password is refused, or undefined when it is good. Never repeats the password. */
  objection(password: string, email: string): Objection | undefined;
}

export interface Objection {
  /** For programs; stable. */
  code: 'too-short' | 'too-easy' | 'known-phrase' | 'made-of-email' | 'same-as-current';
  /** For people. */
  detail: string;
}

export interface PasswordPolicyOptions {
  /** In characters (Unicode code points). */
  minLength: number;
  /** Whether the passwords of the documentation are accepted: on a machine where somebody tries idcard out. */
  takesExamples: boolean;
}

const PRODUCT_NAME = 'idcard';
/** The strength of four random words from a list of thousands. */
const ENOUGH_BITS = 45;
/** A shorter password, where the operator permits one, need not be stronger than random letters. */
const ENOUGH_BITS_PER_CHARACTER = 3;

/** What the documentation of idcard shows. */
export const EXAMPLES = ['violet otters play chess', 'nine lazy clouds over Turin'];
/** Phrases that are strong by the count, but known to everybody. */
const FAMOUS = [
  'correct horse battery staple',
  'the quick brown fox',
  'to be or not to be',
  'may the force be with you',
  'never gonna give you up',
  'all your base are belong to us',
  'my name is Inigo Montoya',
  'live long and prosper',
  'keep calm and carry on',
  "you'll never walk alone",
  'hit me baby one more time',
  'our Father who art in heaven',
  'in the beginning God created',
  'lorem ipsum dolor sit amet',
  'supercalifragilisticexpialidocious',
  'antidisestablishmentarianism',
];

/** NIST SP 800-63B-4 §3.1.1.2: a least length and a blocklist, no composition rules. */
export function createPasswordPolicy({ minLength, takesExamples }: PasswordPolicyOptions): PasswordPolicy {
  const guesses = createGuesses();
  const published = [...FAMOUS, ...(takesExamples ? [] : EXAMPLES)].map(onlyLetters);

  return {
    objection(password, email) {
      const { length } = [...password];
      if (length < minLength)
        return { code: 'too-short', detail: `Must have at least ${minLength} characters` };
      const spellings = readings(password).map(onlyLetters);
      if (spellings.some((letters) => published.some((phrase) => letters.includes(phrase))))
        return {
          code: 'known-phrase',
          detail: 'Must not have a phrase that everybody knows, or that the documentation shows',
        };
      const enough = Math.min(ENOUGH_BITS, ENOUGH_BITS_PER_CHARACTER * length);
      if (guesses.need(enough, password, contextOf(email))) return undefined;
      return guesses.need(enough, password)
        ? { code: 'made-of-email', detail: `Must not be made of your email or of ${PRODUCT_NAME}` }
        : {
            code: 'too-easy',
            detail:
              'Must be harder to guess: common words, repeats and runs like 123 or qwerty count for little',
          };
    },
  };
}

function contextOf(email: string): string[] {
  return [email, ...email.split(/[^\p{L}\p{M}\p{N}]+/u), PRODUCT_NAME].filter((word) => word.length >= 3);
}

function onlyLetters(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}]+/gu, '');
}
