import { sql } from 'kysely';
import type { FollowingClock } from '../base/clock.ts';
import type { Config } from '../config/config.ts';
import { openDatabase } from '../database/index.ts';
import type { OpenOptions } from '../database/schema.ts';
import { createDirectory, type Directory } from './directory.ts';

type Settings = Pick<Config, 'database' | 'tokens'>;

/**
 * Opens the configured directory. Machines that share a directory agree on the clock of its server: a replica with a wrong clock
 * would refuse the tokens of the others, or they would refuse its tokens.
 * @param clock follows the clock of the server from now on
 * @param options of the database
 * @throws StartupError
 */
export async function openDirectory(
  { database, tokens }: Settings,
  clock: FollowingClock,
  options?: OpenOptions,
): Promise<Directory> {
  const db = await openDatabase(database.url, { poolSize: database.poolSize, ...options });
  const directory = createDirectory(db, clock.now);
  if (database.url.startsWith('sqlite:')) return directory; // a file is on this machine, whose clock counts

  const query = sql<{ ms: number }>`SELECT 1000 * extract(epoch FROM clock_timestamp())::float8 AS ms`;
  const follow = () =>
    clock.follow(async () => {
      const { rows } = await query.execute(db);
      if (!rows[0]) throw new Error('A query for the time has one row.');
      return rows[0].ms;
    });
  await follow();
  const timer = setInterval(follow, tokens.revocationPollSeconds * 1000).unref();
  const { close } = directory;
  return Object.assign(directory, {
    close() {
      clearInterval(timer);
      return close();
    },
  });
}
