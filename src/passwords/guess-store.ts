/** How fast one address, or somebody at one account, may guess. */
export interface Pace {
  /** Attempts without any delay. */
  free: number;
  /** The delay doubles with each attempt beyond, from one second up to this. Never longer: no permanent lock. */
  longestDelaySeconds: number;
  /** So long after the first attempt, the count starts again. */
  forgetAfterSeconds: number;
}

/** 10 free guesses and 13 more until the delay is an hour, one an hour from then on: fewer than 50 a day. */
export const PER_ACCOUNT: Pace = { free: 10, longestDelaySeconds: 3600, forgetAfterSeconds: 86_400 };
/** Many honest users may share an address. */
export const PER_ADDRESS: Pace = { free: 100, longestDelaySeconds: 300, forgetAfterSeconds: 3600 };

/** How an attempt was counted, and what its key may do next. */
export interface Tally {
  /** How many more are free. */
  remaining: number;
  /** Until more are free, or when none is, until the next one is admitted. */
  resetSeconds: number;
  /** Whether this one has to wait, and is not counted. */
  isRefused: boolean;
}

export interface Limit {
  /** Counts an attempt, unless it has to wait. */
  count(key: string): Promise<Tally>;
  /** As if the last attempt had not been made. */
  takeBack(key: string): Promise<Tally>;
  forget(key: string): Promise<void>;
}

/** Where guesses are counted: together, atomically, however many are made at once. */
export interface GuessStore {
  addresses: Limit;
  accounts: Limit;
  known: KnownNetworks;
}

/** Pairs of a user and a network from which they logged in. */
export interface KnownNetworks {
  has(pair: string): Promise<boolean>;
  add(pair: string): Promise<void>;
}

/** @param attempts that are counted now @param expiresMs when they are forgotten */
export function admitted({ free, forgetAfterSeconds }: Pace, attempts: number, expiresMs: number): Tally {
  const resetSeconds = expiresMs > 0 ? Math.ceil(expiresMs / 1000) : forgetAfterSeconds;
  return { remaining: Math.max(0, free - attempts), resetSeconds, isRefused: false };
}
