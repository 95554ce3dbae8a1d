import { readFileSync } from 'node:fs';
import { StartupError } from '../base/startup-error.ts';

/**
 * Reads a secret from a file, without the line break at its end.
 * @param name the variable that names the file
 * @throws StartupError
 */
export function readSecretFile(path: string, name: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw new StartupError(`${name} names a file that cannot be read.`, { cause });
  }
}
