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
  { name: 'system', command: "vitest run --project 'system*'" },
];

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'node_modules/.bin');
const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };

/** The steps that failed. */
const failed: string[] = [];

/** Runs a step to its end, and says how long it took. */
async function run({ name, command }: Step, args: readonly string[] = [], isQuiet = false): Promise<void> {
  const startMs = performance.now();
  const output = isQuiet ? 'pipe' : 'inherit';
  const child = spawn('sh', ['-c', `${command} "$@"`, 'sh', ...args], {
    cwd: root,
    env,
    stdio: ['ignore', output, output],
  });
  const said = Promise.all([child.stdout, child.stderr].map((stream) => (stream ? text(stream) : '')));
  const [code] = await once(child, 'close');
  if (code !== 0) {
    failed.push(name);
    process.stderr.write((await said).join(''));
  }
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  console.log(`${code === 0 ? '✓' : '✗'} ${name} ${seconds} s`);
}

/** As many at a time as there are cores. */
async function runSideBySide(steps: readonly Step[]): Promise<void> {
  const left = [...steps];
  async function work(): Promise<void> {
    for (let step = left.shift(); step; step = left.shift()) await run(step, [], true);
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work));
}

await run(INSTALL);
if (failed.length === 0) await runSideBySide(READINGS);
for (const step of TESTS) {
  const args = process.argv.slice(2).map((argument) => argument.replaceAll('{step}', step.name));
  if (failed.length === 0) await run(step, args);
}
if (failed.length > 0) {
  console.error(`The check has stopped at: ${failed.join(', ')}`);
  process.exitCode = 1;
}
