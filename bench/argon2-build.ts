import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { findArgon2Build } from '../bin/argon2-build.js';
import { CHECKOUT } from './shipped.ts';
import { temporaryPath } from './temporary.ts';

/**
 * Runs `npm run build:argon2` beside the checkout, which stays as it is.
 * @returns the value of `ARGON2_PREBUILD` with which argon2 loads what this processor runs best; undefined where nothing
 * can be built
 */
export function buildArgon2(): string | undefined {
  const folder = temporaryPath();
  for (const path of ['package.json', 'scripts/build-argon2.sh', 'node_modules/argon2']) {
    cpSync(join(CHECKOUT, path), join(folder, path), { recursive: true });
  }
  mkdirSync(join(folder, 'argon2-builds'));
  symlinkSync(join(CHECKOUT, 'node_modules/node-addon-api'), join(folder, 'node_modules/node-addon-api'));
  try {
    execFileSync('npm', ['run', 'build:argon2'], { cwd: folder, stdio: 'ignore' });
  } catch {
    return undefined;
  }
  return findArgon2Build(join(folder, 'argon2-builds/'));
}
