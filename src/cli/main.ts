import { Command, CommanderError } from 'commander';
import { Problem } from '../problems/problem.ts';
import { StartupError } from '../startup-error.ts';
import { keysList } from './keys-list.ts';
import { keysRevoke } from './keys-revoke.ts';
import { keysRotate } from './keys-rotate.ts';
import { theftBudgetCommand } from './theft-budget.ts';
import { usersAdd } from './users-add.ts';
import { usersDelete } from './users-delete.ts';
import { usersList } from './users-list.ts';
import { usersSetPassword } from './users-set-password.ts';
import { usersSetRoles } from './users-set-roles.ts';
import { usersDisable, usersEnable } from './users-status.ts';

const USAGE_ERROR = 2;

/** The command line. Exit codes: 0 done, 1 failed, 2 used wrongly. */
export async function main(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const program = new Command('idcard')
    .description('A stateless login API. Settings come from the environment; the README lists them.')
    .configureHelp({ showGlobalOptions: true })
    .exitOverride();
  program
    .command('serve')
    .description('start the server')
    .action(async () => (await import('../main.ts')).serve(env)); // the other commands need no server

  const users = program.command('users').description('manage users');
  for (const command of [
    usersAdd,
    usersDisable,
    usersEnable,
    usersDelete,
    usersList,
    usersSetPassword,
    usersSetRoles,
  ]) {
    users.addCommand(command(env));
  }
  const keys = program.command('keys').description('manage the key set');
  for (const command of [keysList, keysRotate, keysRevoke]) keys.addCommand(command(env));
  program.addCommand(theftBudgetCommand(env));
  exitOverrideAll(program);

  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    process.exitCode = report(error);
    // The server never came up, but a half of it may keep the process alive.
    if (process.exitCode !== 0) process.exit();
  }
}

/** A usage error is told by commander itself; a failure is one sentence; a bug keeps its stack. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE_ERROR;
  if (error instanceof StartupError || error instanceof Problem) console.error(`idcard: ${error.message}`);
  else console.error(error);
  return 1;
}

function exitOverrideAll(command: Command): void {
  command.exitOverride();
  command.commands.forEach(exitOverrideAll);
}
