import { Command } from 'commander';
import { printable } from '../../base/log-text.ts';
import { databaseName } from '../../database/index.ts';
import { logEvent, print, withJson } from '../output.ts';
import { confirm } from '../prompt.ts';
import { changeUser, findUser, withDirectory } from '../with-directory.ts';

export function usersDelete(env: NodeJS.ProcessEnv): Command {
  return withJson(new Command('delete'))
    .description('delete a user; their tokens are void. At a terminal it asks before, a script is not asked')
    .argument('<email>')
    .option('--yes', 'do not ask')
    .action(async (email: string, options: { yes?: boolean; json?: boolean }) => {
      await withDirectory(env, async (opened) => {
        if (!options.yes) await confirm(`Delete ${printable((await findUser(opened, email)).email)}?`);
        const user = await changeUser(opened, email, async (user) => {
          const isDeleted = await opened.directory.remove(user.id, { email: user.email });
          return isDeleted ? user : undefined;
        });
        logEvent('user.deleted', { sub: user.id });
        print(
          options.json,
          { id: user.id },
          `Deleted ${user.email} from ${databaseName(opened.config.database.url)}.`,
        );
      });
    });
}
