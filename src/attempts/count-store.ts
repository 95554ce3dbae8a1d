/** How fast attempts may follow one another, at an account or from a network. */
export interface Pace {
  /** Attempts without any delay. */
  free: number;
  /** The delay doubles with each attempt beyond, from one second up to this. Never longer: no permanent lock. */
  longestDelaySeconds: number;
  /** So long after the first attempt, the count starts again. */
  forgetAfterSeconds: number;
}

const NETWORK = { longestDelaySeconds: 300, forgetAfterSeconds: 3600 };

/**
 * What is counted. Many honest users may share a network, and the more the larger it is; and yet who has a large one must not
 * have as many counts as it has parts (RFC 6177: a home has a /56, a business a /48).
 */
export const PACES = {
  /** 10 are free, 13 more until the delay is an hour, and one an hour from then on: fewer than 50 a day. */
  account: { free: 10, longestDelaySeconds: 3600, forgetAfterSeconds: 86_400 },
  /**
   * All devices of an account. Each login gives another device token and no change of the password takes them back, so whoever
   * logged in often has as many, each with a count of its own as an account has.
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
  /** How many more are free. */
  remaining: number;
  /** Until more are free, or when none is, until the next one is admitted. */
  resetSeconds: number;
  /** For how long the attempt has to wait; 0 when it has not. */
  waitSeconds: number;
}

/** Where attempts are counted: atomically, however many are made at once. */
export interface CountStore {
  /** Counts an attempt in each of these, or in none when it has to wait for one of them. The tallies in the same order. */
  add(attempt: number, counts: readonly Count[]): Promise<Tally[]>;
  /** As if this attempt had not been made; those made since keep the delay that they have brought about. */
  takeBack(attempt: number, counts: readonly Count[]): Promise<Tally[]>;
}

/** What a store knows of one count. */
export interface Standing {
  /** Attempts that are counted now. */
  made: number;
  /** Until more are free, or after an attempt beyond those, its delay. Not above zero when nothing is counted. */
  resetMs: number;
  /** For how long the next attempt has to wait; 0 when it has not. */
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
