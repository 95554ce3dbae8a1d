/** Installs packages that stand apart, `install.ts bench postman`, unless they are there as their lockfiles say. */
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const changedAt = (path: string) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

for (const name of process.argv.slice(2)) {
  const folder = resolve(root, name);
  // npm writes the second one when it has installed the first.
  if (changedAt(`${folder}/package-lock.json`) > changedAt(`${folder}/node_modules/.package-lock.json`)) {
    const { status } = spawnSync('npm', ['ci', '--prefix', folder], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    process.exitCode ||= status ?? 1;
  }
}
