import { resolve } from 'node:path';
import { StartupError } from '../base/startup-error.ts';
import type { Config } from '../config/config.ts';
import { type PrivateJwkSet, parseKeySet } from '../proofs/keys/key-set.ts';
import { readKeySet } from '../proofs/keys/load-key-set.ts';

/** The key set that a command is to change. @throws StartupError when the key set is not in a file */
export function readKeySetFile(settings: Config['keys']): PrivateJwkSet {
  refuseKeySetVariable(settings);
  return readKeySet(settings, parseKeySet) ?? refuseMissingKeys(settings);
}

/** @throws StartupError */
export function refuseKeySetVariable({ keySet }: Config['keys']): void {
  if (keySet === undefined) return;
  throw new StartupError(
    'The key set comes from KEY_SET: put it into a file, name that in KEY_SET_FILE, and change it there.',
  );
}

/** @throws StartupError */
export function refuseMissingKeys({ keySetFile }: Config['keys']): never {
  throw new StartupError(
    `There is no key file ${resolve(keySetFile)}: set DATA_DIR or KEY_SET_FILE to the server's, or run "idcard keys create" for a new one.`,
  );
}
