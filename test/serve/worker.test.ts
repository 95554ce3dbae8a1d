import { expect, test } from 'vitest';
import { readConfig } from '../../src/config/config.ts';
import { shareOf } from '../../src/serve/worker.ts';

test.each([
  ['2', '2', 1],
  ['4', '6', 2],
  ['4', '1', 1],
  ['2', '8', 4],
])('%s workers with %s hashes at once run %i each', (WORKERS, PASSWORD_HASHES_AT_ONCE, each) => {
  const config = readConfig({ WORKERS, PASSWORD_HASHES_AT_ONCE });
  expect(shareOf(config)).toEqual({
    ...config,
    passwords: { ...config.passwords, hashing: { atOnce: each, queueSeconds: 5 } },
  });
});
