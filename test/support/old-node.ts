import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** The machine's own Node when it is old; else the one at hand, made to say that it is. */
export function oldNode(): [string, ...string[]] {
  const installed = '/usr/bin/node';
  if (existsSync(installed)) {
    const version = execFileSync(installed, ['--version'], { encoding: 'utf8' });
    if (Number(/^v(\d+)/.exec(version)?.[1]) < 24) return [installed];
  }
  const preload = `for (const [name, value] of [['versions', { node: '20.1.0' }], ['version', 'v20.1.0']])
    Object.defineProperty(process, name, { value });`;
  return [process.execPath, '--import', `data:text/javascript,${encodeURIComponent(preload)}`];
}
