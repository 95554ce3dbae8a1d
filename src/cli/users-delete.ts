import { Command } from 'commander';
import { confirm } from './ask.ts';
import { logEvent, print, withJson } from './output.ts';
import { findUser, withDirectory } from './with-directory.ts';

export function usersDelete(env: NodeJS.ProcessEnv): Command {
  return withJson(new Command('delete'))
    .description('delete a user; their tokens are void. At a terminal it asks before, a script is not asked')
    .argument('<email>')
    .option('--yes', 'do not ask')
    .action(async (email: string, options: { yes?: boolean; json?: boolean }) => {
      await withDirectory(env, async (directory) => {
        const user = await findUser(directory, email);
        if (!options.yes) await confirm(`Delete ${user.email}?`);
        await directory.remove(user.id);
        logEvent('user.deleted', { sub: user.id });
        print(options.json, { id: user.id }, `Deleted ${user.email}.`);
      });
    });
}
