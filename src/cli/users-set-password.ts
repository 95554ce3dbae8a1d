import { Command } from 'commander';
import { createHasher } from '../passwords/hasher.ts';
import { matchingSpelling } from '../passwords/password.ts';
import { StartupError } from '../startup-error.ts';
import { describeUser, logEvent, print, withJson } from './output.ts';
import { readNewPassword } from './password-input.ts';
import { findUser, withDirectory } from './with-directory.ts';

export function usersSetPassword(env: NodeJS.ProcessEnv): Command {
  return withJson(new Command('set-password'))
    .description('set a password, from a prompt or from standard input; the tokens of the user are void')
    .argument('<email>')
    .action(async (email: string, options: { json?: boolean }) => {
      await withDirectory(env, async (directory, config) => {
        const user = await findUser(directory, email);
        const spellings = await readNewPassword(config, user.email);
        const hasher = createHasher(config.argon2);
        if ((await matchingSpelling(hasher, user.passwordHash, spellings)) !== undefined)
          throw new StartupError('The password is refused. Must differ from the current password.');
        await directory.updateAndVoidTokens(user.id, { passwordHash: await hasher.hash(spellings[0]) });
        logEvent('password.set', { sub: user.id });
        print(options.json, describeUser(user), `${user.email} has a new password.`);
      });
    });
}
