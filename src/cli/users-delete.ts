import { Command } from 'commander';
import { databaseName } from '../users/databases/index.ts';
import { logEvent, print, withJson } from './output.ts';
import { changeUser, withDirectory } from './with-directory.ts';

export function usersDelete(env: NodeJS.ProcessEnv): Command {
  return withJson(new Command('delete'))
    .description('delete a user; their tokens are void')
    .argument('<email>')
    .action(async (email: string, options: { json?: boolean }) => {
      await withDirectory(env, async (opened) => {
        const user = await changeUser(opened, email, async (user) => {
          const isDeleted = await opened.directory.remove(user.id, { email: user.email });
          return isDeleted ? user : undefined;
        });
        logEvent('user.deleted', { sub: user.id });
        print(
          options.json,
          { id: user.id },
          `Deleted ${user.email} from ${databaseName(opened.config.databaseUrl)}.`,
        );
      });
    });
}
