import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

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
  const rolldown = resolve('node_modules/rolldown/bin/cli.mjs');
  execFileSync(process.execPath, [rolldown, '-c', '--dir', join(folder, 'dist')], { stdio: 'ignore' });
  for (const path of ['bin', 'package.json']) cpSync(path, join(folder, path), { recursive: true });
  process.env[FOLDER] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}

/** The folder, in a test. */
export const COMPILED = process.env[FOLDER] ?? '';
