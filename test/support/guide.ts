import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { temporaryFolder } from './process.ts';

const guide = readFileSync('docs/clients.md', 'utf8');

/** The code blocks of one language under one heading of docs/clients.md, as one text. */
export function blocksOf(heading: string, language: string): string {
  const section = guide.split(/^##+ /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  const blocks = [...section.matchAll(/```(\w+)\n(.*?)```/gs)].filter(([, name]) => name === language);
  if (blocks.length === 0) throw new Error(`There is no ${language} under ${heading}.`);
  return blocks.map(([, , code]) => code).join('');
}

/** A folder as the guide's reader has it: the two documents, and what `npm install` brings. */
export function readersFolder(): string {
  const folder = temporaryFolder();
  for (const name of ['openapi.yaml', 'openapi-3.0.yaml']) cpSync(name, join(folder, name));
  symlinkSync(resolve('test/clients/node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** Runs a script of bash to its end and returns what it printed; throws when it fails. */
export async function runScript(folder: string, script: string): Promise<string> {
  const child = spawn('bash', ['-ec', script], {
    cwd: folder,
    env: {
      ...process.env,
      PATH: `${join(folder, 'node_modules/.bin')}:${process.env.PATH}`,
      JAVA_TOOL_OPTIONS: '-XX:TieredStopAtLevel=1', // they are short programs
      npm_config_offline: 'true', // npx may run what is there and nothing else
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
