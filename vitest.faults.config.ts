import { configDefaults, defineConfig } from 'vitest/config';

/** They take all that the machine can give, or measure what is left. */
const STRESS = ['flood', 'kills', 'disk', 'logs'].map((name) => `test/faults/stress-${name}.test.ts`);

/** The fault drills: whole systems that are broken on purpose. */
export default defineConfig({
  test: {
    globalSetup: ['test/support/run-folder.ts', 'test/support/compiled.ts', 'test/support/postgres.ts'],
    setupFiles: ['test/support/checked-answers.ts', 'test/support/left-over-processes.ts'],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'drills', // two at a time: their clients rest between requests, and leave the machine room
          include: ['test/faults/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...STRESS],
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'stress', // one after the other
          include: STRESS,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
