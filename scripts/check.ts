/** What has to be right before a commit, step by step: `check.ts [arguments for vitest]`, in which `{step}` is a step's name. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

interface Step {
  name: string;
  command: string;
}

const INSTALL = { name: 'install', command: 'node scripts/install.ts bench postman test/runtimes' };

/** They look at files alone, side by side. */
const READINGS: readonly Step[] = [
  { name: 'format', command: 'biome ci .' },
  { name: 'types', command: 'tsc' },
  { name: 'types of the client', command: 'tsc -p src/client' },
  { name: 'types of the example', command: 'tsc -p examples/spa' },
  { name: 'types of the benchmark', command: 'tsc -p bench' },
  { name: 'types of the collection', command: 'tsc -p postman' },
  { name: 'unused code', command: 'knip' },
  { name: 'document', command: 'node scripts/openapi.ts --check' },
  { name: 'settings', command: 'node scripts/settings.ts --check' },
  { name: 'problems', command: 'node scripts/problems.ts --check' },
  { name: 'collection', command: 'node postman/main.ts --check' },
  { name: 'rules of the document', command: 'redocly lint openapi.yaml openapi-3.0.yaml' },
];

/** One after the other. The thresholds are for the unit tests, which alone run in processes whose coverage is measured. */
const TESTS: readonly Step[] = [
  { name: 'unit', command: "vitest run --project 'unit*' --coverage" },
  { name: 'system', command: 'vitest run --project system' },
];

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'node_modules/.bin');
const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };

/** Runs a step to its end and says how long it took; false when it failed. */
async function run({ name, command }: Step, args: readonly string[] = [], isQuiet = false): Promise<boolean> {
  const startMs = performance.now();
  const child = spawn('sh', ['-c', `${command} "$@"`, 'sh', ...args], {
    cwd: root,
    env,
    stdio: ['ignore', isQuiet ? 'pipe' : 'inherit', isQuiet ? 'pipe' : 'inherit'],
  });
  const said = Promise.all([child.stdout, child.stderr].map((stream) => (stream ? text(stream) : '')));
  const [code] = await once(child, 'close');
  if (code !== 0) process.stderr.write((await said).join(''));
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  process.stdout.write(`${code === 0 ? '✓' : '✗'} ${name} ${seconds} s\n`);
  return code === 0;
}

/** Each of them, as many at a time as there are cores; false when one failed. */
async function runSideBySide(steps: readonly Step[]): Promise<boolean> {
  const left = [...steps];
  let isRight = true;
  async function work(): Promise<void> {
    for (let step = left.shift(); step; step = left.shift()) isRight = (await run(step, [], true)) && isRight;
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return isRight;
}

async function check(args: readonly string[]): Promise<boolean> {
  if (!(await run(INSTALL)) || !(await runSideBySide(READINGS))) return false;
  for (const step of TESTS) {
    const given = args.map((argument) => argument.replaceAll('{step}', step.name));
    if (!(await run(step, given))) return false;
  }
  return true;
}

if (!(await check(process.argv.slice(2)))) process.exitCode = 1;
