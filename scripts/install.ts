/** Installs what a package of its own in this repository needs, unless it is there: `node scripts/install.ts bench`. */
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';

const [folder = ''] = process.argv.slice(2);
const changedAt = (path: string) => statSync(join(folder, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;

// npm writes the second one when it has installed the first.
if (changedAt('package-lock.json') > changedAt('node_modules/.package-lock.json')) {
  const { status } = spawnSync('npm', ['ci', '--prefix', folder], { stdio: ['ignore', 'ignore', 'inherit'] });
  process.exitCode = status ?? 1;
}
