import { Command } from 'commander';
import { databaseName } from '../../database/index.ts';
import { pagesOfUsers } from '../../users/pages.ts';
import { describeUser, print, withJson } from '../output.ts';
import { createTable } from '../table.ts';
import { withDirectory } from '../with-directory.ts';

export function usersList(env: NodeJS.ProcessEnv): Command {
  return withJson(new Command('list'))
    .description(
      'list every user, oldest first: a table at a terminal, else id, email, status and roles separated by tabs; with --json one object a line',
    )
    .action((options: { json?: boolean }) =>
      withDirectory(env, async ({ directory, config }) => {
        const table = createTable(['ID', 'EMAIL', 'STATUS', 'ROLES'], process.stdout.isTTY, console.log);
        let isEmpty = true;
        for await (const page of pagesOfUsers(directory)) {
          isEmpty = false;
          if (options.json) for (const user of page) print(true, describeUser(user), '');
          else table.print(page.map(({ id, email, status, roles }) => [id, email, status, roles.join(',')]));
        }
        if (isEmpty) console.error(`There are no users in ${databaseName(config.database.url)}.`);
      }),
    );
}
