import type { z } from 'zod';

/** One environment variable. */
export interface Setting<T = unknown> {
  name: string;
  /** The description of the rule completes "NAME must be …". */
  rule: z.ZodType<T>;
  fallback: string | number | Derived<T>;
  /** For the documentation, as Markdown. */
  sentence: string;
  /** Whether the value may also come from the file that `NAME_FILE` names. */
  isSecret: boolean;
}

/** A default that is no constant. */
export interface Derived<T> {
  /** For the documentation, as Markdown. */
  text: string;
  from(read: Read): T;
}

/** The value of a setting. */
export type Read = <T>(setting: Setting<T>) => T;

/** Settings and groups of settings, by their names in the code. */
export interface Group {
  [field: string]: Setting | Group;
}

export type Values<G> = { [F in keyof G]: G[F] extends Setting<infer T> ? T : Values<G[F]> };

/** @param fallback the default, as the text of the variable would give it, or derived */
export function setting<T, D = never>(
  name: string,
  rule: z.ZodType<T>,
  fallback: string | number | Derived<D>,
  sentence: string,
): Setting<T | D> {
  return { name, rule, fallback, sentence, isSecret: false } as Setting<T | D>; // a rule that gives T gives T or D
}

/** A setting that holds a secret: a file may hold it instead. */
export function secret<T, D = never>(...line: Parameters<typeof setting<T, D>>): Setting<T | D> {
  return { ...setting<T, D>(...line), isSecret: true };
}

export function derived<D>(text: string, from: (read: Read) => D): Derived<D> {
  return { text, from };
}

/** The default of a setting that may be absent. */
export const NONE = derived('', () => undefined);

export function defaultOf<T>({ fallback, rule }: Setting<T>, read: Read): T {
  return typeof fallback === 'object' ? fallback.from(read) : rule.parse(String(fallback));
}

export function settingsOf(group: Group): Setting[] {
  return Object.values(group).flatMap((each) => (isSetting(each) ? [each] : settingsOf(each)));
}

export function valuesOf<G extends Group>(group: G, read: Read): Values<G> {
  return Object.fromEntries(
    Object.entries(group).map(([field, each]) => [
      field,
      isSetting(each) ? read(each) : valuesOf(each, read),
    ]),
  ) as Values<G>; // the fields are those of the group
}

function isSetting(each: Setting | Group): each is Setting {
  return 'rule' in each;
}
