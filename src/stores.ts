import { resolve } from 'node:path';
import type { FollowingClock } from './base/clock.ts';
import { StartupError } from './base/startup-error.ts';
import type { Config } from './config/config.ts';
import { databaseName } from './database/index.ts';
import type { Events } from './events/events.ts';
import type { KeySet } from './proofs/keys/key-set.ts';
import { findKeySet, loadKeySet } from './proofs/keys/load-key-set.ts';
import type { Directory } from './users/directory.ts';
import { openDirectory } from './users/open-directory.ts';

/**
 * Opens the keys and the database of a configuration. A first start makes both. A start that finds users but no keys
 * makes no others: after a typing error or a lost volume, new keys would end every login without a word.
 * @throws StartupError
 */
export async function openStores(
  config: Config,
  clock: FollowingClock,
  events?: Events,
): Promise<{ keySet: KeySet; directory: Directory }> {
  const found = findKeySet(config.keys, clock.now);
  const directory = await openDirectory(config, clock, {
    onPooler: () => events?.tell('database.pooler', {}),
  });
  try {
    return { keySet: found ?? (await makeKeySet(config, clock, directory)), directory };
  } catch (error) {
    await directory.close();
    throw error;
  }
}

async function makeKeySet(config: Config, clock: FollowingClock, directory: Directory): Promise<KeySet> {
  const hasUsers = (await directory.list('', 1)).length > 0;
  if (!hasUsers) return loadKeySet(config.keys, clock.now);
  // Another process may be at its first start, too: it makes the keys before there is a user.
  const found = findKeySet(config.keys, clock.now);
  if (found) return found;
  throw new StartupError(
    `There is no key file ${resolve(config.keys.keySetFile)}, but there are users in ${databaseName(config.database.url)}: restore the file, or name it in KEY_SET_FILE. If it is lost, "idcard keys create" makes new keys, and everybody has to log in again.`,
  );
}
