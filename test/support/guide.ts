import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { temporaryFolder } from './process.ts';

const LOCKFILE = 'test/clients/package-lock.json';
const guide = readFileSync('docs/generated-clients.md', 'utf8');

/** The code blocks of one language under one heading of docs/generated-clients.md, as one text. */
export function blocksOf(heading: string, language: string): string {
  const section = guide.split(/^##+ /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  const blocks = [...section.matchAll(/```(\w+)\n(.*?)```/gs)].filter(([, name]) => name === language);
  if (blocks.length === 0) throw new Error(`There is no ${language} under ${heading}.`);
  return blocks.map(([, , code]) => code).join('');
}

/** A folder as the guide's reader has it: the two documents. The lockfile keeps what `npm install` brings the same every day. */
export function readersFolder(): string {
  const folder = temporaryFolder();
  for (const path of ['openapi.yaml', 'openapi-3.0.yaml', LOCKFILE])
    cpSync(path, join(folder, basename(path)));
  return folder;
}

/** What the guide has installed there, as `name@version`, and is not in the lockfile. */
export function strangersIn(folder: string): string[] {
  const known = new Set(packagesOf(LOCKFILE));
  return packagesOf(join(folder, 'node_modules/.package-lock.json')).filter((each) => !known.has(each));
}

function packagesOf(lockfile: string): string[] {
  const { packages }: { packages: Record<string, { version: string }> } = JSON.parse(
    readFileSync(lockfile, 'utf8'),
  );
  return Object.entries(packages).map(
    ([path, { version }]) => `${path.replace(/.*node_modules\//, '')}@${version}`,
  );
}

/** Runs a script of bash to its end and returns what it printed; throws when it fails. */
export async function runScript(folder: string, script: string): Promise<string> {
  const child = spawn('bash', ['-ec', script], {
    cwd: folder,
    env: {
      ...process.env,
      PATH: `${join(folder, 'node_modules/.bin')}:${process.env.PATH}`,
      JAVA_TOOL_OPTIONS: '-XX:TieredStopAtLevel=1', // they are short programs
      npm_config_prefer_offline: 'true',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  if (code !== 0) throw new Error(`${script}\nended with ${code}: ${stdout}${stderr}`);
  return stdout;
}
