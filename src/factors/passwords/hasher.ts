import { argon2id, hash, verify } from 'argon2';
import type { Config } from '../../config/config.ts';

type Parameters = Config['passwords']['argon2'];

export interface Hasher {
  /** An argon2id hash (RFC 9106) in PHC string format, with a salt of its own. */
  hash(password: string): Promise<string>;
  /**
   * Whether the password belongs to the hash. A failure takes as long for every hash, and where there is none (no such
   * user, no password): it costs one hash of each set of parameters in use.
   */
  verify(storedHash: string | null | undefined, password: string): Promise<boolean>;
  /** Whether the hash was made with weaker parameters than today's. */
  needsRehash(storedHash: string): boolean;
  /** Why no password is ever compared with the hash; undefined for a good one. */
  objectionTo(storedHash: string): string | undefined;
}

/** The default settings: most directories have hashes that were made before the operator raised them. */
const DEFAULTS: Parameters = { memoryKib: 19_456, timeCost: 2, parallelism: 1 };
/** How many sets of parameters a failed login pays for. */
const MAX_SETS = 4;

/** What a stored hash may ask of this machine: a hash that was tampered with must neither take the machine down nor throw. */
const MAX_MEMORY_KIB = 1_048_576;
const MAX_TIME_COST = 16;
const MAX_PARALLELISM = 16;
/** What a stored hash may ask in relation to the hashes that the operator chose, and sized the machine for. */
const MAX_TIMES_MEMORY = 8;
const MAX_TIMES_WORK = 16;
const PHC =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$[A-Za-z0-9+/]{11,88}\$[A-Za-z0-9+/]{22,88}$/;

export function createHasher(today: Parameters): Hasher {
  /** The parameters of stored hashes, as far as this process has met them. */
  const sets = [today];
  if (!isSame(today, DEFAULTS)) sets.push(DEFAULTS);

  /** The sets that a failed login still has to pay for, after the comparison with its own hash. */
  function setsBeside(own: Parameters | undefined): Parameters[] {
    if (!own) return [...sets];
    const isKnown = sets.some((set) => isSame(set, own));
    if (!isKnown && sets.length < MAX_SETS) sets.push(own);
    // The comparison has paid for its own set. A set that is not kept stands for the one that costs about as much.
    const paid = sets.find((set) => isSame(set, own)) ?? closest(sets, own);
    return sets.filter((set) => set !== paid);
  }

  return {
    hash: (password) => hash(password, optionsOf(today)),
    async verify(storedHash, password) {
      const own = storedHash && !objectionTo(storedHash, today) ? readParameters(storedHash) : undefined;
      const others = setsBeside(own); // a login that succeeds makes its set known, too
      if (storedHash && own && (await verify(storedHash, password))) return true;
      for (const set of others) await hash(password, optionsOf(set));
      return false;
    },
    needsRehash(storedHash) {
      const stored = readParameters(storedHash);
      return stored !== undefined && (stored.memoryKib < today.memoryKib || stored.timeCost < today.timeCost);
    },
    objectionTo: (storedHash) => objectionTo(storedHash, today),
  };
}

/** Why no password is compared with the hash where `today` is configured. Repeats nothing of the hash but its parameters. */
export function objectionTo(storedHash: string, today: Parameters): string | undefined {
  const stored = readParameters(storedHash);
  if (!stored || !isBounded(stored)) return 'is no argon2id hash with parameters that idcard takes';
  const { memoryKib, timeCost } = stored;
  const mostMemory = MAX_TIMES_MEMORY * today.memoryKib;
  if (memoryKib > mostMemory)
    return `asks for ${memoryKib} KiB, more than ${MAX_TIMES_MEMORY} × ARGON2_MEMORY_KIB (${mostMemory})`;
  const mostWork = MAX_TIMES_WORK * workOf(today);
  if (workOf(stored) > mostWork)
    return `asks for ${timeCost} passes over ${memoryKib} KiB, more than ${MAX_TIMES_WORK} × ARGON2_TIME_COST × ARGON2_MEMORY_KIB (${mostWork})`;
  return undefined;
}

function optionsOf({ memoryKib, timeCost, parallelism }: Parameters) {
  return { type: argon2id, memoryCost: memoryKib, timeCost, parallelism };
}

function readParameters(storedHash: string): Parameters | undefined {
  const match = PHC.exec(storedHash);
  return match
    ? { memoryKib: Number(match[1]), timeCost: Number(match[2]), parallelism: Number(match[3]) }
    : undefined;
}

function isBounded({ memoryKib, timeCost, parallelism }: Parameters): boolean {
  return (
    isWithin(timeCost, 1, MAX_TIME_COST) &&
    isWithin(parallelism, 1, MAX_PARALLELISM) &&
    isWithin(memoryKib, 8 * parallelism, MAX_MEMORY_KIB) // RFC 9106 §3.1
  );
}

function isWithin(value: number, least: number, greatest: number): boolean {
  return value >= least && value <= greatest;
}

function isSame(one: Parameters, other: Parameters): boolean {
  return (
    one.memoryKib === other.memoryKib &&
    one.timeCost === other.timeCost &&
    one.parallelism === other.parallelism
  );
}

function closest(sets: readonly Parameters[], own: Parameters): Parameters | undefined {
  const distance = (set: Parameters) => Math.abs(workOf(set) - workOf(own));
  return sets.toSorted((a, b) => distance(a) - distance(b))[0];
}

/** About what a hash costs. */
function workOf({ memoryKib, timeCost }: Parameters): number {
  return memoryKib * timeCost;
}
