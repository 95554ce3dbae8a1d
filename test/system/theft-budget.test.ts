import { expect, test } from 'vitest';
import { readConfig } from '../../src/config/config.ts';
import { formatTheftBudget, theftBudget } from '../../src/proofs/theft-budget.ts';
import { run } from '../support/process.ts';

test('the command line prints it for the settings at hand, for people and as JSON', async () => {
  const env = { ACCESS_TOKEN_TTL_SECONDS: '60' };
  const budget = theftBudget(readConfig(env).tokens);
  expect((await run(['theft-budget'], { env })).stdout).toBe(`${formatTheftBudget(budget)}\n`);
  expect(JSON.parse((await run(['theft-budget', '--json'], { env })).stdout)).toEqual({ budget });
});
