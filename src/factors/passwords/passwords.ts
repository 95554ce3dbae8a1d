import type { Hasher } from './hasher.ts';
import type { LazyPasswordPolicy } from './lazy-policy.ts';
import { matchingSpelling, type PasswordSpellings } from './password.ts';

/** A password as a factor: it proves a user, is judged when it is new, and is never kept. */
export interface Passwords extends LazyPasswordPolicy {
  /**
   * Compares what was typed with a stored hash. How long a failure takes does not depend on the hash, nor on whether there is one.
   * @returns the spelling that belongs to the hash; undefined when none does
   */
  prove(storedHash: string | null | undefined, typed: PasswordSpellings): Promise<string | undefined>;
  /** A hash to store. */
  hash(password: string): Promise<string>;
  /**
   * Whether a password that was just proven is to be hashed anew: today's hashes are stronger, or the hash is of a former
   * spelling.
   */
  isToBeHashed(storedHash: string, spelling: string, [today]: PasswordSpellings): boolean;
  /** Why no password is ever compared with the hash; undefined for a good hash, and for none. */
  objectionTo(storedHash: string | null | undefined): string | undefined;
}

/** How a password shows in the claim `amr` (RFC 8176 §2). */
export const PASSWORD_AMR = ['pwd'] as const;

export function createPasswords(hasher: Hasher, policy: LazyPasswordPolicy): Passwords {
  return {
    objection: policy.objection,
    prove: (storedHash, typed) => matchingSpelling(hasher, storedHash, typed),
    hash: (password) => hasher.hash(password),
    isToBeHashed: (storedHash, spelling, [today]) => spelling !== today || hasher.needsRehash(storedHash),
    objectionTo: (storedHash) => (storedHash ? hasher.objectionTo(storedHash) : undefined),
  };
}
