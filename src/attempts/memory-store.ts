import {
  type Count,
  type CountStore,
  freeTally,
  type Kind,
  PACES,
  type Pace,
  type Tally,
} from './count-store.ts';

/**
 * How many of each kind are counted at once; those without an attempt for the longest time are forgotten. To have one account
 * forgotten, an attacker needs attempts at as many others that all reach the hash: ten minutes of two cores, from 500
 * networks within the hour, for eleven guesses.
 */
const MAX_COUNTS = 50_000;

interface Attempts {
  made: number;
  expiresMs: number;
  /** Until when the next one has to wait, and the attempt that has brought it about. */
  delay?: { untilMs: number; attempt: number };
}

/** Counts in this process, by a clock that nobody can set. */
export function createMemoryStore(): CountStore {
  /** Each in the order of the last attempt. */
  const kinds = new Map<Kind, Map<string, Attempts>>();

  function mapOf(kind: Kind): Map<string, Attempts> {
    const map = kinds.get(kind) ?? new Map();
    kinds.set(kind, map);
    return map;
  }

  function find({ kind, name }: Count): Attempts | undefined {
    const found = mapOf(kind).get(name);
    return found && performance.now() < found.expiresMs ? found : undefined;
  }

  function remember({ kind, name }: Count, attempts: Attempts): void {
    const map = mapOf(kind);
    map.delete(name);
    map.set(name, attempts);
    if (map.size <= MAX_COUNTS) return;
    const [oldest = name] = map.keys();
    map.delete(oldest);
  }

  function look(count: Count): Tally {
    const found = find(count);
    if (found) remember(count, found);
    const { made = 0, expiresMs = 0, delay } = found ?? {};
    const tally = freeTally(PACES[count.kind], made, expiresMs - performance.now());
    const waitMs = (delay?.untilMs ?? 0) - performance.now();
    return waitMs > 0 ? { ...tally, waitSeconds: Math.max(1, Math.ceil(waitMs / 1000)) } : tally;
  }

  function add(count: Count, attempt: number): Tally {
    const pace: Pace = PACES[count.kind];
    const now = performance.now();
    const attempts = find(count) ?? { made: 0, expiresMs: now + pace.forgetAfterSeconds * 1000 };
    attempts.made++;
    remember(count, attempts);
    const excess = attempts.made - pace.free;
    if (excess <= 0) return freeTally(pace, attempts.made, attempts.expiresMs - now);
    const resetSeconds = Math.min(2 ** (excess - 1), pace.longestDelaySeconds);
    attempts.delay = { untilMs: now + resetSeconds * 1000, attempt };
    return { remaining: 0, resetSeconds, waitSeconds: 0 };
  }

  function subtract(count: Count, attempt: number): Tally {
    const pace = PACES[count.kind];
    const found = find(count);
    if (!found) return freeTally(pace, 0, 0); // forgotten meanwhile: below zero there would be free guesses
    found.made--;
    if (found.delay?.attempt === attempt) delete found.delay;
    if (found.made > 0) return freeTally(pace, found.made, found.expiresMs - performance.now());
    mapOf(count.kind).delete(count.name);
    return freeTally(pace, 0, 0);
  }

  return {
    async count(attempt, counts) {
      const tallies = counts.map(look);
      const isRefused = tallies.some(({ waitSeconds }) => waitSeconds > 0);
      return isRefused ? tallies : counts.map((count) => add(count, attempt));
    },
    takeBack: async (attempt, counts) => counts.map((count) => subtract(count, attempt)),
  };
}
