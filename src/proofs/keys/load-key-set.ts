import type { Clock } from '../../base/clock.ts';
import { StartupError } from '../../base/startup-error.ts';
import type { Config } from '../../config/config.ts';
import { createKeyFile, readKeyFile } from './key-file.ts';
import { generateKeySet } from './key-rotation.ts';
import { createKeySet, type KeySet } from './key-set.ts';

type Settings = Config['keys'];

/**
 * The key set of the configuration, from `KEY_SET` or from the key file. Creates the file when there is none.
 * @throws StartupError
 */
export function loadKeySet(settings: Settings, clock: Clock): KeySet {
  const found = findKeySet(settings, clock);
  if (found) return found;
  const json = createKeyFile(settings.keySetFile, generateKeySet(settings, clock()));
  return createKeySet(json, settings.algorithm, clock);
}

/** The key set of the configuration; undefined when there is no key file. @throws StartupError */
export function findKeySet(settings: Settings, clock: Clock): KeySet | undefined {
  return readKeySet(settings, (json) => createKeySet(json, settings.algorithm, clock));
}

/**
 * Reads the key set, if there is one.
 * @param parse throws a StartupError, to which the path of the file is added
 * @throws StartupError
 */
export function readKeySet<T>({ keySet, keySetFile }: Settings, parse: (json: string) => T): T | undefined {
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
