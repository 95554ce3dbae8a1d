import type { Target } from './target.ts';

/** One hostile token. */
export interface Forgery {
  name: string;
  /** The clause or the CVE that it comes from. */
  source: string;
  make: Make;
}

export type Make = (target: Target) => string;

/** Rows of a table that come from one source. */
export function rows(source: string, makes: Record<string, Make>): Forgery[] {
  return Object.entries(makes).map(([name, make]) => ({ name, source, make }));
}

/** One row for each value. */
export function each<T>(
  values: readonly T[],
  name: (value: T) => string,
  make: (value: T) => Make,
): Record<string, Make> {
  return Object.fromEntries(values.map((value) => [name(value), make(value)]));
}

/** A value as a table shows it. */
export function shown(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 24) ?? 'absent';
}
