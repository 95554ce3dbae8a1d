import { Command } from 'commander';
import { readConfig } from '../config/config.ts';
import { formatTheftBudget, theftBudget } from '../proofs/theft-budget.ts';
import { print, withJson } from './output.ts';

export function theftBudgetCommand(env: NodeJS.ProcessEnv): Command {
  return withJson(new Command('theft-budget'))
    .description('how long a stolen token works, at worst, with these settings')
    .action((options: { json?: boolean }) => {
      const budget = theftBudget(readConfig(env).tokens);
      print(options.json, { budget }, formatTheftBudget(budget));
    });
}
