/** How fast attempts may follow one another, at an account or from a network. */
export interface Pace {
  /** Attempts without any delay. */
  free: number;
  /** Each attempt beyond the free ones doubles the delay, from one second up to this. There is no permanent lock. */
  longestDelaySeconds: number;
  /** How long after the first attempt the count starts again. */
  forgetAfterSeconds: number;
}

const NETWORK = { longestDelaySeconds: 300, forgetAfterSeconds: 3600 };

/**
 * The kinds of counts. The larger a network, the more honest users may share it. Yet whoever has a large network must not
 * get one count for each of its parts (RFC 6177: a home has a /56, a business a /48).
 */
export const PACES = {
  /** 10 attempts are free. 13 more bring the delay to an hour. From then on there is one an hour: fewer than 50 a day. */
  account: { free: 10, longestDelaySeconds: 3600, forgetAfterSeconds: 86_400 },
  /**
   * All devices of an account together. Each device token has a count like that of an account. Each login gives another
   * device token, and a change of the password voids none: without this count, whoever has logged in often would have as
   * many counts.
   */
  devices: { free: 100, longestDelaySeconds: 3600, forgetAfterSeconds: 86_400 },
  /** An IPv4 address, or a /64 of IPv6. */
  address: { ...NETWORK, free: 100 },
  /** A /56. */
  home: { ...NETWORK, free: 400 },
  /** A /48. */
  site: { ...NETWORK, free: 1600 },
} satisfies Record<string, Pace>;

export type Kind = keyof typeof PACES;

/** One of the counts that an attempt is part of. */
export interface Count {
  kind: Kind;
  name: string;
}

/** How a count stands after an attempt. */
export interface Tally {
  /** How many more attempts are free. */
  remaining: number;
  /** Until more attempts are free; after an attempt that was not free, until the next one is admitted. */
  resetSeconds: number;
  /** How long the attempt has to wait; 0 when it need not wait. */
  waitSeconds: number;
}

/** Counts attempts atomically, however many are made at once. */
export interface CountStore {
  /**
   * Counts an attempt in each of the counts, or in none when one of them has a delay. The tallies have the order of the
   * counts.
   */
  add(attempt: number, counts: readonly Count[]): Promise<Tally[]>;
  /** Takes an attempt back. Delays that later attempts made stay. */
  takeBack(attempt: number, counts: readonly Count[]): Promise<Tally[]>;
}

/** What a store knows of one count. */
export interface Standing {
  /** Attempts that are counted now. */
  made: number;
  /** Until more attempts are free; after an attempt that was not free, its delay. Zero or less when nothing is counted. */
  resetMs: number;
  /** How long the next attempt has to wait; 0 when it need not wait. */
  waitMs: number;
}

export function tallyOf({ kind }: Count, { made, resetMs, waitMs }: Standing): Tally {
  const { free, forgetAfterSeconds } = PACES[kind];
  return {
    remaining: Math.max(0, free - made),
    resetSeconds: resetMs > 0 ? Math.ceil(resetMs / 1000) : forgetAfterSeconds,
    waitSeconds: Math.ceil(waitMs / 1000),
  };
}
