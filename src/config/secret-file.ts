import { readFileSync } from 'node:fs';
import { StartupError } from '../base/startup-error.ts';

/**
 * What stands in a file that holds a secret, without the line break at its end.
 * @param name what named the file
 * @throws StartupError
 */
export function readSecretFile(path: string, name: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw new StartupError(`${name} names a file that cannot be read.`, { cause });
  }
}
