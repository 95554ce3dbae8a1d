import type { Config } from '../config.ts';
import { StartupError } from '../startup-error.ts';
import { readKeyFile } from '../tokens/key-file.ts';
import { type PrivateJwkSet, parseKeySet } from '../tokens/key-set.ts';

/** The key set that a command is about to change. @throws StartupError when it is not in a file */
export function readKeySetFile(config: Config): PrivateJwkSet {
  if (config.keySet !== undefined) {
    throw new StartupError(
      'The key set comes from KEY_SET: put it into a file, name that in KEY_SET_FILE, and change it there.',
    );
  }
  const json = readKeyFile(config.keySetFile);
  if (json === undefined)
    throw new StartupError(`There is no key file ${config.keySetFile} yet: start idcard first.`);
  return parseKeySet(json);
}
