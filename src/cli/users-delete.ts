import { Command } from 'commander';
import { logEvent, print, withJson } from './output.ts';
import { findUser, withDirectory } from './with-directory.ts';

export function usersDelete(env: NodeJS.ProcessEnv): Command {
  return withJson(new Command('delete'))
    .description('delete a user; their tokens are void')
    .argument('<email>')
    .action(async (email: string, options: { json?: boolean }) => {
      await withDirectory(env, async (directory) => {
        const user = await findUser(directory, email);
        await directory.remove(user.id);
        logEvent('user.deleted', { sub: user.id });
        print(options.json, { id: user.id }, `Deleted ${user.email}.`);
      });
    });
}
