import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where programs are, servers included, which Debian keeps out of the PATH of ordinary users. */
const FOLDERS = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];

/** The path of a program that only the system can give; undefined where it is not installed. */
export function findProgram(name: string): string | undefined {
  return FOLDERS.map((folder) => join(folder, name)).find(isExecutable);
}

/**
 * Whether tests that need these programs are to be skipped. On a build machine, which must have them, never: there a
 * missing one is a failure.
 */
export function lacks(...programs: string[]): boolean {
  return !process.env.CI && programs.some((name) => findProgram(name) === undefined);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
