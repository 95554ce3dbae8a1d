import { Command } from 'commander';
import { describeUser, print, withJson } from './output.ts';
import { withDirectory } from './with-directory.ts';

const PAGE = 500;

export function usersList(env: NodeJS.ProcessEnv): Command {
  return withJson(new Command('list'))
    .description('list every user, oldest first; with --json one object a line')
    .action((options: { json?: boolean }) =>
      withDirectory(env, async (directory) => {
        let page = await directory.list('', PAGE);
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
