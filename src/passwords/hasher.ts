import { randomBytes } from 'node:crypto';
import { hash as argon2Hash, argon2id, verify } from 'argon2';
import type { Config } from '../config.ts';

export interface Hasher {
  /** An argon2id hash (RFC 9106) in PHC string format, with a salt of its own. */
  hash(password: string): Promise<string>;
  /**
   * Whether the password belongs to the hash. Without a hash (no such user, no password) it takes as long and
   * is false.
   */
  verify(storedHash: string | null | undefined, password: string): Promise<boolean>;
  /** Whether the hash was made with weaker parameters than today's. */
  needsRehash(storedHash: string): boolean;
}

/** What a stored hash may ask of this machine: one that was tampered with must neither take it down nor throw. */
const MAX_MEMORY_KIB = 1_048_576;
const MAX_TIME_COST = 16;
const MAX_PARALLELISM = 16;
const PHC =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$[A-Za-z0-9+/]{11,88}\$[A-Za-z0-9+/]{22,88}$/;

export function createHasher(parameters: Config['argon2']): Hasher {
  const options = {
    type: argon2id,
    memoryCost: parameters.memoryKib,
    timeCost: parameters.timeCost,
    parallelism: parameters.parallelism,
  };
  const hash = (password: string) => argon2Hash(password, options);
  // A real hash from the live hasher: one that is malformed would be refused at once, and so give the user away.
  // Nobody waits for it at the start.
  const decoy = hash(randomBytes(32).toString('base64'));

  return {
    hash,
    async verify(storedHash, password) {
      const usable = typeof storedHash === 'string' && isUsableHash(storedHash);
      const matches = await verify(usable ? storedHash : await decoy, password);
      return usable && matches;
    },
    needsRehash(storedHash) {
      const stored = readParameters(storedHash);
      return (
        stored !== undefined &&
        (stored.memoryKib < parameters.memoryKib || stored.timeCost < parameters.timeCost)
      );
    },
  };
}

/** Whether a password can be compared with it: argon2id, at a price within bounds. */
export function isUsableHash(storedHash: string): boolean {
  return isBounded(readParameters(storedHash));
}

function readParameters(storedHash: string): Config['argon2'] | undefined {
  const match = PHC.exec(storedHash);
  return match
    ? { memoryKib: Number(match[1]), timeCost: Number(match[2]), parallelism: Number(match[3]) }
    : undefined;
}

function isBounded(stored: Config['argon2'] | undefined): boolean {
  return (
    stored !== undefined &&
    isWithin(stored.timeCost, 1, MAX_TIME_COST) &&
    isWithin(stored.parallelism, 1, MAX_PARALLELISM) &&
    isWithin(stored.memoryKib, 8 * stored.parallelism, MAX_MEMORY_KIB) // RFC 9106 §3.1
  );
}

function isWithin(value: number, least: number, greatest: number): boolean {
  return value >= least && value <= greatest;
}
