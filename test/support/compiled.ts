import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));

/** Where the workers of one run find what was compiled for all of them. */
const FOLDER = 'IDCARD_TEST_COMPILED';

/**
 * The `globalSetup` of vitest: a folder for idcard as its image has it, which starts in half the time that the sources take.
 * Inside `node_modules`, where it finds the packages that are not compiled into it.
 */
export function setup(): () => void {
  const cache = resolve('node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'compiled-'));
  process.env[FOLDER] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}

/** The folder, in a test; the first one that asks compiles, while the others wait. */
export function compiled(): string {
  const folder = process.env[FOLDER];
  if (!folder) throw new Error('vitest runs without its globalSetup.');
  const done = join(folder, 'done');
  if (isFirst(join(folder, 'begun'))) {
    compileInto(folder);
    writeFileSync(done, '');
  }
  for (let attemptsLeft = 600; !existsSync(done); attemptsLeft--) {
    if (attemptsLeft === 0) throw new Error('It was not compiled; see the failure of another test file.');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  }
  return folder;
}

/** Puts there what the image has, but for the packages. */
export function compileInto(folder: string): void {
  const build = ['run', 'build', '--', '--dir', join(folder, 'dist')];
  execFileSync('npm', build, { cwd: CHECKOUT, stdio: ['ignore', 'ignore', 'inherit'] });
  for (const path of ['bin', 'package.json'])
    cpSync(join(CHECKOUT, path), join(folder, path), { recursive: true });
}

/** Whether nobody has made this folder before. */
export function isFirst(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch {
    return false;
  }
}
