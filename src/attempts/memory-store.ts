import { type Count, type CountStore, type Kind, PACES, type Tally, tallyOf } from './count-store.ts';

/**
 * How many counts of each kind are kept. Beyond, the count whose last attempt is the longest ago is forgotten. To have
 * one account forgotten, an attacker has to make attempts at as many other accounts, and each has to reach the hash. That
 * takes ten minutes of two cores and 500 networks within the hour, and gains eleven attempts.
 */
const MAX_COUNTS = 50_000;

/** One count. Its number and its delay expire separately, like the two keys in Redis. */
interface Entry {
  made: number;
  forgottenAtMs: number;
  /** The attempt that made the delay. */
  delayedBy: number;
  delayedUntilMs: number;
}

/**
 * Counts in this process, by the steps of the scripts in `redis-store.ts`.
 * @param nowMs a clock that nobody can set: a clock set forward would end every delay
 */
export function createMemoryStore(nowMs: () => number): CountStore {
  /** The counts of each kind, in the order of their last attempts. */
  const kinds = new Map<Kind, Map<string, Entry>>();

  function entriesOf(kind: Kind): Map<string, Entry> {
    const entries = kinds.get(kind) ?? new Map();
    kinds.set(kind, entries);
    return entries;
  }

  /** What has expired is 0. */
  function read({ kind, name }: Count, now: number): Entry {
    const {
      made = 0,
      forgottenAtMs = 0,
      delayedBy = 0,
      delayedUntilMs = 0,
    } = entriesOf(kind).get(name) ?? {};
    return {
      ...(forgottenAtMs > now ? { made, forgottenAtMs } : { made: 0, forgottenAtMs: 0 }),
      ...(delayedUntilMs > now ? { delayedBy, delayedUntilMs } : { delayedBy: 0, delayedUntilMs: 0 }),
    };
  }

  /** Stores a count as the one with the latest attempt. */
  function write({ kind, name }: Count, entry: Entry): void {
    const entries = entriesOf(kind);
    entries.delete(name);
    entries.set(name, entry);
    if (entries.size <= MAX_COUNTS) return;
    const [oldest = name] = entries.keys();
    entries.delete(oldest);
  }

  function look(count: Count, now: number): Tally {
    const entry = read(count, now);
    const { made, forgottenAtMs, delayedUntilMs } = entry;
    if (made > 0 || delayedUntilMs > 0) write(count, entry);
    return tallyOf(count, {
      made,
      resetMs: forgottenAtMs - now,
      waitMs: Math.max(0, delayedUntilMs - now),
    });
  }

  /** Adds to a count that has no delay now. */
  function add(count: Count, attempt: number, now: number): Tally {
    const { free, longestDelaySeconds, forgetAfterSeconds } = PACES[count.kind];
    const before = read(count, now);
    const made = before.made + 1;
    const forgottenAtMs = before.forgottenAtMs || now + forgetAfterSeconds * 1000;
    const delayMs = made > free ? Math.min(2 ** (made - free - 1), longestDelaySeconds) * 1000 : 0;
    write(count, { made, forgottenAtMs, delayedBy: attempt, delayedUntilMs: now + delayMs });
    return tallyOf(count, { made, resetMs: delayMs || forgottenAtMs - now, waitMs: 0 });
  }

  function subtract(count: Count, attempt: number, now: number): Tally {
    const before = read(count, now);
    const made = Math.max(0, before.made - 1); // it may have expired: below zero there would be free attempts
    const forgottenAtMs = made > 0 ? before.forgottenAtMs : 0;
    const delay = before.delayedBy === attempt ? { delayedBy: 0, delayedUntilMs: 0 } : {};
    const after = { ...before, ...delay, made, forgottenAtMs };
    const entries = entriesOf(count.kind);
    if (made > 0 || after.delayedUntilMs > 0) entries.set(count.name, after);
    else entries.delete(count.name);
    return tallyOf(count, { made, resetMs: forgottenAtMs - now, waitMs: 0 });
  }

  return {
    async add(attempt, counts) {
      const now = nowMs();
      const tallies = counts.map((count) => look(count, now));
      const isRefused = tallies.some(({ waitSeconds }) => waitSeconds > 0);
      return isRefused ? tallies : counts.map((count) => add(count, attempt, now));
    },
    async takeBack(attempt, counts) {
      const now = nowMs();
      return counts.map((count) => subtract(count, attempt, now));
    },
  };
}
