import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKOUT } from './shipped.ts';
import { temporaryPath } from './temporary.ts';

/**
 * Builds a copy of the argon2 package from its own source, since what it ships is built for SSE2 alone. Its work is
 * in C: `CXXFLAGS` change nothing.
 * @returns the value of `ARGON2_PREBUILD` with which argon2 loads that copy; undefined where nothing can be built
 */
export function buildArgon2(cflags: string): string | undefined {
  const folder = temporaryPath();
  const modules = join(folder, 'node_modules');
  mkdirSync(modules, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{}');
  cpSync(join(CHECKOUT, 'node_modules/argon2'), join(modules, 'argon2'), { recursive: true });
  symlinkSync(join(CHECKOUT, 'node_modules/node-addon-api'), join(modules, 'node-addon-api'));
  try {
    execFileSync('npm', ['explore', 'argon2', '--', 'node-gyp', 'rebuild'], {
      cwd: folder,
      env: { ...process.env, CFLAGS: cflags },
      stdio: 'ignore',
    });
  } catch {
    return undefined;
  }
  return join(modules, 'argon2');
}
