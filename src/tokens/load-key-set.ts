import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import { createKeyFile, readKeyFile } from './key-file.ts';
import { generateKeySet } from './key-rotation.ts';
import { createKeySet, type KeySet } from './key-set.ts';

/**
 * The key set of the configuration: from `KEY_SET`, or from the key file, which the first start creates.
 * @throws StartupError
 */
export function loadKeySet(config: Config, clock: Clock): KeySet {
  const json =
    config.keySet ??
    readKeyFile(config.keySetFile) ??
    createKeyFile(config.keySetFile, generateKeySet(config, clock()));
  return createKeySet(json, config.algorithm, clock);
}
