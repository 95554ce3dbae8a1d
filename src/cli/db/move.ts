import { Command, Option } from 'commander';
import type { Kysely } from 'kysely';
import { quoted } from '../../base/log-text.ts';
import { StartupError } from '../../base/startup-error.ts';
import { hasLostBytes } from '../../base/utf8.ts';
import { type Config, readConfig } from '../../config/config.ts';
import { readSecretFile } from '../../config/secret-file.ts';
import type { Database } from '../../database/schema.ts';
import { holdingWrites, isSameDatabase } from '../../database/snapshot.ts';
import { objectionTo } from '../../factors/passwords/hasher.ts';
import { Problem } from '../../problems/problem.ts';
import { pagesFrom } from '../../users/pages.ts';
import { rehearse } from '../../users/rehearsal.ts';
import { createUserRows, isSameRow, type UserRow, type UserRows } from '../../users/rows.ts';
import { logEvent, print, withJson } from '../output.ts';
import { withProgress } from '../progress.ts';
import { withDatabase, withTarget } from '../with-database.ts';

interface Options {
  to?: string;
  toFile?: string;
  dryRun?: boolean;
  json?: boolean;
}

export function dbMove(env: NodeJS.ProcessEnv): Command {
  return withJson(new Command('move'))
    .description(
      'copy every user to another database, which may hold no others; nobody can change one meanwhile',
    )
    .addOption(new Option('--to <url>', 'like DATABASE_URL').conflicts('toFile'))
    .option('--to-file <file>', 'a file that holds the URL, so that no list of processes shows its password')
    .option('--dry-run', 'make the tables, check everything, and write no user')
    .action(async (options: Options, command: Command) => {
      const { database, passwords } = readConfig(env);
      const to = targetOf(options) ?? command.error('error: name the target by --to or --to-file');
      const result = await withDatabase(database.url, (source) =>
        withNewTarget(to, (target) =>
          holdingWrites(source, (held) => move(held, target, passwords.argon2, options.dryRun ?? false)),
        ),
      );
      if (!options.dryRun) logEvent('users.moved', result);
      const { users, added } = result;
      const counts = `${added} added, ${users - added} already there`;
      const text = options.dryRun
        ? `All ${users} users can be moved (${counts}). No user was written.`
        : `All ${users} users are in the target (${counts}), each compared. Set DATABASE_URL to it, and start idcard.`;
      print(options.json, { ...result, dry_run: options.dryRun ?? false }, text);
    });
}

function targetOf({ to, toFile }: Options): string | undefined {
  if (toFile === undefined) return to;
  const url = readSecretFile(toFile, '--to-file');
  if (hasLostBytes(url)) throw new StartupError('--to-file has what cannot be decoded: it must be UTF-8.');
  return url;
}

async function withNewTarget<T>(url: string, action: (db: Kysely<Database>) => Promise<T>): Promise<T> {
  if (url === 'sqlite::memory:')
    throw new StartupError('The target is a database in memory, which ends with this command: name a file.');
  return withTarget(url, '--to', action);
}

async function move(
  source: Kysely<Database>,
  target: Kysely<Database>,
  argon2: Config['passwords']['argon2'],
  isRehearsal: boolean,
) {
  if (await isSameDatabase(source, target))
    throw new StartupError('The target is the configured database itself.');
  const there = createUserRows(target);
  return copy(createUserRows(source), isRehearsal ? await rehearse(there) : there, argon2);
}

/** Copies the missing users, so that an interrupted move can run again. Then compares all users. */
async function copy(
  source: UserRows,
  target: UserRows,
  argon2: Config['passwords']['argon2'],
): Promise<{ users: number; added: number }> {
  const stranger = await firstNotIn(source, target);
  if (stranger) {
    throw new StartupError(
      `The target has a user whom the source has not, or has otherwise (${stranger.id}), and nothing was changed: name an empty database.`,
    );
  }
  const users = await source.count();
  let added = 0;
  await withProgress('Copying  ', users, async ({ advance, say }) => {
    for await (const page of pagesFrom(source.page)) {
      added += (await addPage(target, page)).size;
      // Moved all the same: such a user could not log in before the move either.
      for (const warning of unusableHashes(page, argon2)) say(`idcard: ${warning}`);
      advance(page.length);
    }
  });
  const lost = await withProgress('Comparing', users, ({ advance }) => firstNotIn(target, source, advance));
  const usersThere = await target.count();
  if (lost || usersThere !== users) {
    throw new StartupError(
      `The target differs (${users} users here, ${usersThere} there${lost ? `, not ${lost.id}` : ''}): something else writes to it. Stop that, and run this again.`,
    );
  }
  return { users, added };
}

function unusableHashes(page: readonly UserRow[], argon2: Config['passwords']['argon2']): string[] {
  return page.flatMap(({ id, password_hash }) => {
    const objection = password_hash === null ? undefined : objectionTo(password_hash, argon2);
    return objection ? [`the password hash of ${id} ${objection}: moved, but no password is right.`] : [];
  });
}

/** Adds a page. The sentence for a value that SQLite stored and PostgreSQL refuses says where it is. */
async function addPage(target: UserRows, page: UserRow[]): Promise<Set<string>> {
  try {
    return await target.add(page);
  } catch (cause) {
    if (!(cause instanceof Error) || cause instanceof Problem) throw cause;
    throw new StartupError(
      `The target cannot hold a user from ${page[0]?.id} to ${page.at(-1)?.id}: it says ${quoted(cause.message)}.`,
      { cause },
    );
  }
}

/** The first of `others` that `users` lacks, or has with other values. */
async function firstNotIn(
  users: UserRows,
  others: UserRows,
  advance: (amount: number) => void = () => undefined,
): Promise<UserRow | undefined> {
  for await (const page of pagesFrom(others.page)) {
    const found = new Map((await users.find(page.map(({ id }) => id))).map((row) => [row.id, row]));
    const missing = page.find((row) => !isSameRow(row, found.get(row.id)));
    if (missing) return missing;
    advance(page.length);
  }
  return undefined;
}
