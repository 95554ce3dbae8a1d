import { defineConfig } from 'vitest/config';

/** The fault drills: whole systems that are broken on purpose, one after the other. */
export default defineConfig({
  test: {
    include: ['test/faults/**/*.test.ts'],
    globalSetup: ['test/support/run-folder.ts', 'test/support/compiled.ts', 'test/support/postgres.ts'],
    setupFiles: ['test/support/checked-answers.ts', 'test/support/left-over-processes.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
