/** Installs what only the benchmark needs, unless it is there: `bench/package-lock.json`. */
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const changedAt = (path: string) =>
  statSync(new URL(path, import.meta.url), { throwIfNoEntry: false })?.mtimeMs ?? 0;

// npm writes the second one when it has installed the first.
if (changedAt('package-lock.json') > changedAt('node_modules/.package-lock.json')) {
  const folder = fileURLToPath(new URL('.', import.meta.url));
  const { status } = spawnSync('npm', ['ci', '--prefix', folder], { stdio: ['ignore', 'ignore', 'inherit'] });
  process.exitCode = status ?? 1;
}
