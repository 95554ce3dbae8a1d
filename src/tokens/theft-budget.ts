import type { Config } from '../config.ts';

/** How long a stolen thing works, in one situation, at worst. */
export interface TheftBudgetEntry {
  stolen: 'access_token' | 'refresh_token';
  situation: keyof typeof SITUATIONS;
  seconds: number;
}

/** What may have happened since the theft, in the words of the table. */
export const SITUATIONS = {
  unnoticed_unused: 'nobody notices, the thief waits',
  unnoticed_used: 'nobody notices, the thief uses it',
  revoked: 'log out everywhere, password change, ban, deletion, lost role',
  revoked_directory_away: 'the same, while the user directory is away',
  bound: 'bound to a key (DPoP) that was not stolen',
} as const;

/** Every number of the promise, from the configuration alone. */
export function theftBudget(config: Config): TheftBudgetEntry[] {
  const { accessTokenTtlSeconds, refreshTokenIdleSeconds, loginMaxAgeSeconds, revocationPollSeconds } =
    config;
  const entries = (stolen: TheftBudgetEntry['stolen'], seconds: Record<keyof typeof SITUATIONS, number>) =>
    Object.entries(seconds).map(
      ([situation, worst]) => ({ stolen, situation, seconds: worst }) as TheftBudgetEntry,
    );
  return [
    ...entries('access_token', {
      unnoticed_unused: accessTokenTtlSeconds,
      unnoticed_used: accessTokenTtlSeconds,
      revoked: revocationPollSeconds,
      revoked_directory_away: accessTokenTtlSeconds,
      bound: 0,
    }),
    ...entries('refresh_token', {
      unnoticed_unused: refreshTokenIdleSeconds,
      unnoticed_used: loginMaxAgeSeconds, // since the login, however often it is renewed
      revoked: 0, // the user's row is read at every refresh
      revoked_directory_away: 0, // and without it there is none
      bound: 0,
    }),
  ];
}

/** The table for people, as the command line prints it and the README shows it: Markdown. */
export function formatTheftBudget(entries: readonly TheftBudgetEntry[]): string {
  const cell = (stolen: TheftBudgetEntry['stolen'], situation: string) =>
    entries
      .filter((entry) => entry.stolen === stolen && entry.situation === situation)
      .map(({ seconds }) => formatDuration(seconds))
      .join();
  const rows = Object.entries(SITUATIONS).map(
    ([situation, words]): Row => [words, cell('access_token', situation), cell('refresh_token', situation)],
  );
  const table: Row[] = [['since the theft', 'access token', 'refresh token'], ...rows];
  const width = (column: 0 | 1 | 2) => Math.max(...table.map((row) => row[column].length));
  const [first, second, third] = [width(0), width(1), width(2)];
  const lines = table.map(([a, b, c]) => `| ${a.padEnd(first)} | ${b.padEnd(second)} | ${c.padEnd(third)} |`);
  lines.splice(1, 0, `|${[first, second, third].map((size) => '-'.repeat(size + 2)).join('|')}|`);
  return lines.join('\n');
}

type Row = [string, string, string];

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
] as const;

/** Seconds, and the largest unit that divides them: `604800 s (7 d)`. */
function formatDuration(seconds: number): string {
  const unit = UNITS.find(([, length]) => seconds > length && seconds % length === 0);
  return unit ? `${seconds} s (${seconds / unit[1]} ${unit[0]})` : `${seconds} s`;
}
