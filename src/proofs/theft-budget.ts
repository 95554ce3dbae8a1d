import type { Config } from '../config/config.ts';

/** A device token logs nobody in. Whoever has it can guess at one account, in a count of their own. */
export const STOLEN = ['access_token', 'refresh_token', 'device_token'] as const;

/** How long a stolen token works at worst, in one situation. */
export interface TheftBudgetEntry {
  stolen: (typeof STOLEN)[number];
  situation: keyof typeof SITUATIONS;
  seconds: number;
}

/** What may happen after a theft, in the words of the table. */
export const SITUATIONS = {
  unnoticed_unused: 'nobody notices, the thief waits',
  unnoticed_used: 'nobody notices, the thief uses it',
  revoked: 'log out everywhere, password change, ban, deletion, lost role',
  revoked_directory_away: 'the same, while the user directory is away',
  bound: 'bound to a key (DPoP) that was not stolen',
} as const;

/** Every number of the table, computed from the configuration. */
export function theftBudget(settings: Config['tokens']): TheftBudgetEntry[] {
  const { accessTokenTtlSeconds, refreshTokenIdleSeconds, loginMaxAgeSeconds, revocationPollSeconds } =
    settings;
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
      revoked: 0, // every refresh reads the user's row
      revoked_directory_away: 0, // without the directory no token is refreshed
      bound: 0,
    }),
    // Neither a revocation nor the binding of tokens ends a device token. The retirement of the secret that signed it does.
    ...entries('device_token', {
      unnoticed_unused: loginMaxAgeSeconds,
      unnoticed_used: loginMaxAgeSeconds,
      revoked: loginMaxAgeSeconds,
      revoked_directory_away: loginMaxAgeSeconds,
      bound: loginMaxAgeSeconds,
    }),
  ];
}

/** The table for people, as the command line prints it and the threat model shows it: Markdown. */
export function formatTheftBudget(entries: readonly TheftBudgetEntry[]): string {
  const cell = (stolen: TheftBudgetEntry['stolen'], situation: string) =>
    entries
      .filter((entry) => entry.stolen === stolen && entry.situation === situation)
      .map(({ seconds }) => formatDuration(seconds))
      .join();
  const columns = [
    ['since the theft', ...Object.values(SITUATIONS)],
    ...STOLEN.map((stolen) => [
      stolen.replace('_', ' '),
      ...Object.keys(SITUATIONS).map((situation) => cell(stolen, situation)),
    ]),
  ].map(padded);
  const lines = ['', ...Object.keys(SITUATIONS)].map(
    (_, row) => `| ${columns.map((column) => column[row]).join(' | ')} |`,
  );
  lines.splice(1, 0, String(lines[0]).replace(/[^|]/g, '-'));
  return lines.join('\n');
}

function padded(texts: readonly string[]): string[] {
  const width = Math.max(...texts.map(({ length }) => length));
  return texts.map((text) => text.padEnd(width));
}

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
