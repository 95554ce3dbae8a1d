import { globSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';

const SYSTEM = 'test/system/**/*.test.ts';
const UNIT_SETUP = ['test/support/checked-answers.ts', 'test/support/no-processes.ts'];
const SYSTEM_SETUP = ['test/support/checked-answers.ts', 'test/support/left-over-processes.ts'];
const GLOBAL_SETUP = ['test/support/run-folder.ts', 'test/support/compiled.ts', 'test/support/postgres.ts'];

/** Modules that other tests of the same worker have imported cannot be mocked any more. */
const mocking = globSync('test/**/*.test.ts', {
  exclude: ['**/node_modules/**', 'test/system/**', 'test/faults/**'],
}).filter((file) => readFileSync(file, 'utf8').includes('vi.mock('));

function project(name: string, test: TestProjectInlineConfiguration['test']): TestProjectInlineConfiguration {
  return { extends: true, test: { name, ...test } };
}

export default defineConfig({
  test: {
    maxWorkers: 2 * availableParallelism(), // most tests wait for processes and clocks; of "200%" vitest takes one a core
    sequence: { sequencer: LongestFirst },
    maxConcurrency: 8, // of those tests of a file that run side by side, which wait for polls
    testTimeout: 30_000,
    hookTimeout: 60_000,
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary', 'text'],
      thresholds: {
        'src/proofs/**': { branches: 100, functions: 100, lines: 100, statements: 100 },
        'src/transports/**': { branches: 100, functions: 100, lines: 100, statements: 100 },
      },
    },
    projects: [
      project('unit', {
        include: ['test/**/*.test.ts'],
        exclude: [...configDefaults.exclude, SYSTEM, 'test/faults/**', ...mocking],
        setupFiles: UNIT_SETUP,
        isolate: false, // half of the time went into importing the same modules for each file
      }),
      project('unit-mocking', {
        include: mocking,
        setupFiles: UNIT_SETUP,
      }),
      project('system', { include: [SYSTEM], globalSetup: GLOBAL_SETUP, setupFiles: SYSTEM_SETUP }),
    ],
  },
});
