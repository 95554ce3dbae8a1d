import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, 'test/faults/**'], // they take a machine for themselves
    globalSetup: ['test/support/compiled.ts', 'test/support/postgres.ts'],
    setupFiles: ['test/support/checked-answers.ts', 'test/support/left-over-processes.ts'],
    maxWorkers: '150%', // most tests wait for processes and clocks
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
  },
});
