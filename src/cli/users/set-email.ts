import { Command } from 'commander';
import { StartupError } from '../../base/startup-error.ts';
import { describeUser, logEvent, print, withJson } from '../output.ts';
import { changeUser, readNewEmail, withDirectory } from '../with-directory.ts';

export function usersSetEmail(env: NodeJS.ProcessEnv): Command {
  return withJson(new Command('set-email'))
    .description('give a user another email, not verified yet; the tokens of the user are void')
    .argument('<email>')
    .argument('<new-email>')
    .action(async (email: string, newEmail: string, options: { json?: boolean }) => {
      await withDirectory(env, async (opened) => {
        let former = '';
        const changed = await changeUser(opened, email, async (user) => {
          const to = await readNewEmail(opened.directory, newEmail, user.id);
          former = user.email;
          if (former === to) throw new StartupError('The user has this email already.');
          return opened.directory.setEmail(user.id, former, to);
        });
        logEvent('user.email-changed', { sub: changed.id });
        print(options.json, describeUser(changed), `${former} is ${changed.email} now, not verified yet.`);
      });
    });
}
