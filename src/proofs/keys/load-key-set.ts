import type { Clock } from '../../base/clock.ts';
import { StartupError } from '../../base/startup-error.ts';
import type { Config } from '../../config/config.ts';
import { createKeyFile, readKeyFile } from './key-file.ts';
import { generateKeySet } from './key-rotation.ts';
import { createKeySet, type KeySet } from './key-set.ts';

type Place = Pick<Config, 'keySet' | 'keySetFile'>;

/**
 * The key set of the configuration, from `KEY_SET` or from the key file. Creates the file when there is none.
 * @throws StartupError
 */
export function loadKeySet(config: Config, clock: Clock): KeySet {
  const found = findKeySet(config, clock);
  if (found) return found;
  const json = createKeyFile(config.keySetFile, generateKeySet(config, clock()));
  return createKeySet(json, config.algorithm, clock);
}

/** The key set of the configuration; undefined when there is no key file. @throws StartupError */
export function findKeySet(config: Config, clock: Clock): KeySet | undefined {
  return readKeySet(config, (json) => createKeySet(json, config.algorithm, clock));
}

/**
 * Reads the key set, if there is one.
 * @param parse throws a StartupError, to which the path of the file is added
 * @throws StartupError
 */
export function readKeySet<T>({ keySet, keySetFile }: Place, parse: (json: string) => T): T | undefined {
  const json = keySet ?? readKeyFile(keySetFile);
  if (json === undefined) return undefined;
  try {
    return parse(json);
  } catch (error) {
    if (keySet === undefined && error instanceof StartupError)
      error.message = error.message.replace('The key set', `The key set in ${keySetFile}`);
    throw error;
  }
}
