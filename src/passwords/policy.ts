import { adjacencyGraphs, dictionary } from '@zxcvbn-ts/language-common';

export interface PasswordPolicy {
  /** Why a new password is refused, or undefined when it is good. Never repeats the password. */
  objection(password: string, email: string): string | undefined;
}

const PRODUCT_NAME = 'idcard';
/** How many characters must be left when what anybody could guess is taken away. */
const MIN_SURPRISE = 8;

/**
 * NIST SP 800-63B-4 §3.1.1.2: a least length and a blocklist, no composition rules.
 * @param minLength in characters (Unicode code points)
 */
export function createPasswordPolicy(minLength: number): PasswordPolicy {
  const common = new Set(dictionary['passwords-common']);
  // Two neighbours meet by chance in most random passwords, so a short one may lose half its characters.
  const leastSurprise = Math.min(MIN_SURPRISE, Math.ceil(minLength / 2));

  return {
    objection(password, email) {
      if ([...password].length < minLength) return `Must have at least ${minLength} characters`;
      const lower = password.toLowerCase();
      if (surprise(lower) < leastSurprise) {
        return 'Must not be made of repeats or of runs like 123 or qwerty';
      }
      if (common.has(lower) || common.has(withoutAffixes(lower))) return 'Must not be a common password';
      if (withoutContext(lower, email).length < MIN_SURPRISE) {
        return `Must not be made of your email or of ${PRODUCT_NAME}`;
      }
      return undefined;
    },
  };
}

/** The password without the digits and signs that people put around a word. */
function withoutAffixes(password: string): string {
  return password.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, '');
}

function withoutContext(password: string, email: string): string {
  const words = [email, ...email.split(/[^\p{L}\p{M}\p{N}]+/u), PRODUCT_NAME].filter(
    (word) => word.length >= 3,
  );
  return words
    .sort((a, b) => b.length - a.length)
    .reduce((rest, word) => rest.replaceAll(word, ''), password);
}

/** How many characters neither repeat an earlier stretch nor continue a run of the alphabet or the keyboard. */
function surprise(password: string): number {
  const characters = [...firstPeriod(password)];
  return characters.filter((character, index) => !continuesRun(characters[index - 1], character)).length;
}

/** The shortest text that, repeated, gives the whole: "abcabcab" → "abc". */
function firstPeriod(password: string): string {
  const period = (password + password).indexOf(password, 1);
  if (period < password.length) return password.slice(0, period);
  for (let length = 1; length <= password.length / 2; length++) {
    const unit = password.slice(0, length);
    if (unit.repeat(Math.ceil(password.length / length)).startsWith(password)) return unit;
  }
  return password;
}

function continuesRun(previous: string | undefined, current: string): boolean {
  if (previous === undefined) return false;
  const step = (current.codePointAt(0) ?? 0) - (previous.codePointAt(0) ?? 0);
  if (Math.abs(step) <= 1) return true;
  return neighbours.get(previous)?.has(current) ?? false;
}

/** Keys beside each other on a QWERTY keyboard. */
const neighbours: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries(adjacencyGraphs.qwerty).map(([key, beside]) => [
    key,
    new Set(beside.flatMap((label) => [...(label ?? '')])),
  ]),
);
