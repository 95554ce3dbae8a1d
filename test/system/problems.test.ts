import { expect, test } from 'vitest';
import { runNode } from '../support/process.ts';

test('docs/problems.md is what the source says', async () => {
  expect(await runNode(['scripts/problems.ts', '--check'])).toMatchObject({ code: 0, stderr: '' });
});
