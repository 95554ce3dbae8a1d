import { Command } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { hasLostBytes } from '../base/utf8.ts';
import { dbMove } from './db/move.ts';
import { keysCreate } from './keys/create.ts';
import { keysList } from './keys/list.ts';
import { keysRevoke } from './keys/revoke.ts';
import { keysRotate } from './keys/rotate.ts';
import { theftBudgetCommand } from './theft-budget.ts';
import { usersAdd } from './users/add.ts';
import { usersCheckEmails } from './users/check-emails.ts';
import { usersDelete } from './users/delete.ts';
import { usersExport } from './users/export.ts';
import { usersImport } from './users/import.ts';
import { usersList } from './users/list.ts';
import { usersSetEmail } from './users/set-email.ts';
import { usersSetPassword } from './users/set-password.ts';
import { usersSetRoles } from './users/set-roles.ts';
import { usersShow } from './users/show.ts';
import { usersDisable, usersEnable } from './users/status.ts';
import { usersVerify } from './users/verify.ts';

/** Runs a command. @throws CommanderError for a wrong use, and for --help */
export async function runProgram(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const program = new Command('idcard')
    .description('A stateless login API. Settings come from the environment; docs/settings.md lists them.')
    .version(packageJson.version, '-v, --version', 'print the version')
    .configureHelp({ showGlobalOptions: true })
    .exitOverride();
  program
    .command('serve')
    .description('start the server')
    .action(async () => (await import('../main.ts')).serve(env));

  const users = program.command('users').description('manage users');
  for (const command of [
    usersAdd,
    usersCheckEmails,
    usersDisable,
    usersEnable,
    usersDelete,
    usersExport,
    usersImport,
    usersList,
    usersShow,
    usersSetEmail,
    usersSetPassword,
    usersSetRoles,
    usersVerify,
  ]) {
    users.addCommand(command(env));
  }
  program.command('db').description('manage the database').addCommand(dbMove(env));
  const keys = program.command('keys').description('manage the key set');
  for (const command of [keysCreate, keysList, keysRotate, keysRevoke]) keys.addCommand(command(env));
  program.addCommand(theftBudgetCommand(env));
  exitOverrideAll(program);
  // A damaged argument would name another user, file or password.
  if (argv.some(hasLostBytes))
    program.error('error: an argument has what cannot be decoded: it must be UTF-8');
  await program.parseAsync([...argv]);
}

function exitOverrideAll(command: Command): void {
  command.exitOverride();
  command.commands.forEach(exitOverrideAll);
}
