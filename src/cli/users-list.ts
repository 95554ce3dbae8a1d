import { Command } from 'commander';
import { databaseName } from '../users/databases/index.ts';
import { describeUser, print, withJson } from './output.ts';
import { withDirectory } from './with-directory.ts';

const PAGE = 500;

export function usersList(env: NodeJS.ProcessEnv): Command {
  return withJson(new Command('list'))
    .description('list every user, oldest first; with --json one object a line')
    .action((options: { json?: boolean }) =>
      withDirectory(env, async ({ directory, config }) => {
        let page = await directory.list('', PAGE);
        if (page.length === 0) console.error(`There are no users in ${databaseName(config.databaseUrl)}.`);
        while (page.length > 0) {
          for (const user of page) {
            const { id, email, status, roles } = user;
            print(options.json, describeUser(user), [id, email, status, roles.join(',')].join('\t'));
          }
          page = await directory.list(page.at(-1)?.id ?? '', PAGE);
        }
      }),
    );
}
