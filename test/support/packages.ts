import { execFile } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const RUNTIMES = resolve('test/runtimes/node_modules');

/** Whether nobody has run `node scripts/install.ts test/runtimes`. On a build machine that is a failure. */
export const lacksRuntimes = !process.env.CI && !existsSync(join(RUNTIMES, '.package-lock.json'));
/** Besides the one that runs the tests. */
export const NODE_20 = globSync(join(RUNTIMES, 'node-*/bin/node'))[0] ?? 'node-20';
export const WORKERD = globSync(join(RUNTIMES, '@cloudflare/workerd-*/bin/workerd'))[0] ?? 'workerd';
export const YARN = join(RUNTIMES, 'yarn/bin/yarn.js');
/** The last one that resolves as older ones did, too. */
const TSC_5 = join(RUNTIMES, 'typescript/bin/tsc');

/** An empty project of somebody else. */
export function createProject(): string {
  const folder = mkdtempSync(join(tmpdir(), 'idcard-project-'));
  writeFileSync(join(folder, 'package.json'), '{"name":"somebodys","version":"1.0.0","private":true}');
  return folder;
}

/** Runs a program to its end, with the `node` that it finds; it fails when the program does. */
export async function runIn(folder: string, command: string, args: string[], node = process.execPath) {
  const env = {
    ...process.env,
    PATH: `${dirname(node)}${delimiter}${process.env.PATH}`,
    npm_config_prefer_offline: 'true',
  };
  return promisify(execFile)(command, args, { cwd: folder, env, maxBuffer: 2 ** 26 });
}

/** Checks a program's types with every way to resolve a package; the package's own as well. @throws what is wrong */
export async function compileEverywhere(folder: string, program: string, options: string[]): Promise<void> {
  writeFileSync(join(folder, 'types.mts'), program);
  const tsc7 = resolve('node_modules/typescript/bin/tsc');
  const bundler = ['--module', 'esnext', '--moduleResolution', 'bundler'];
  const node10 = ['--module', 'esnext', '--moduleResolution', 'node10'];
  const ways: [compiler: string, ...flags: string[]][] = [
    [tsc7, '--module', 'nodenext', '--skipLibCheck', 'false'],
    [tsc7, ...bundler],
  ];
  if (!lacksRuntimes) ways.push([TSC_5, '--module', 'node16'], [TSC_5, ...node10]);
  const flags = ['--strict', '--noEmit', '--target', 'es2022', '--skipLibCheck', ...options];
  const compile = ([compiler, ...how]: string[]) =>
    runIn(folder, process.execPath, [compiler ?? '', ...flags, ...how, 'types.mts']).then(
      () => '',
      ({ stdout, stderr }) => `${how.join(' ')}: ${stdout}${stderr}`,
    );
  const complaints = (await Promise.all(ways.map(compile))).join('');
  if (complaints !== '') throw new Error(complaints);
}

/** The packages that npm has installed. */
export function installedIn(folder: string): string[] {
  const { packages } = JSON.parse(readFileSync(join(folder, 'node_modules/.package-lock.json'), 'utf8'));
  return Object.keys(packages).map((path) => path.replace('node_modules/', ''));
}
