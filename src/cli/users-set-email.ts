import { Command } from 'commander';
import { StartupError } from '../startup-error.ts';
import { describeUser, logEvent, print, withJson } from './output.ts';
import { findUser, readNewEmail, withDirectory } from './with-directory.ts';

export function usersSetEmail(env: NodeJS.ProcessEnv): Command {
  return withJson(new Command('set-email'))
    .description('give a user another email, not verified yet; the tokens of the user are void')
    .argument('<email>')
    .argument('<new-email>')
    .action(async (email: string, newEmail: string, options: { json?: boolean }) => {
      await withDirectory(env, async (directory) => {
        const user = await findUser(directory, email);
        const to = await readNewEmail(directory, newEmail, user.id);
        if (user.email === to) throw new StartupError('The user has this email already.');
        const changed = await directory.setEmail(user.id, user.email, to);
        if (!changed)
          throw new StartupError('Somebody else has changed the user meanwhile: look, and try again.');
        logEvent('user.email-changed', { sub: user.id });
        print(
          options.json,
          describeUser(changed),
          `${user.email} is ${changed.email} now, not verified yet.`,
        );
      });
    });
}
