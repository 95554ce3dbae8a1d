import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));

/** Where the workers of one run find what was compiled for all of them. */
const FOLDER = 'IDCARD_TEST_COMPILED';

/**
 * The `globalSetup` of vitest: idcard as its image has it, which starts in half the time that the sources take. Inside
 * `node_modules`, where it finds the packages that are not compiled into it.
 */
export function setup(): () => void {
  const cache = resolve('node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'compiled-'));
  compileInto(folder);
  process.env[FOLDER] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}

/** Puts there what the image has, but for the packages. */
export function compileInto(folder: string): void {
  const build = ['run', 'build', '--', '--dir', join(folder, 'dist')];
  execFileSync('npm', build, { cwd: CHECKOUT, stdio: ['ignore', 'ignore', 'inherit'] });
  for (const path of ['bin', 'package.json'])
    cpSync(join(CHECKOUT, path), join(folder, path), { recursive: true });
}

/** The folder, in a test. */
export const COMPILED = process.env[FOLDER] ?? '';
