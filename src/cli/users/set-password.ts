import { Command } from 'commander';
import { StartupError } from '../../base/startup-error.ts';
import { createHasher } from '../../factors/passwords/hasher.ts';
import { matchingSpelling } from '../../factors/passwords/password.ts';
import { describeUser, logEvent, print, withJson } from '../output.ts';
import { readNewPassword } from '../password-input.ts';
import { changeUser, findUser, withDirectory } from '../with-directory.ts';

export function usersSetPassword(env: NodeJS.ProcessEnv): Command {
  return withJson(new Command('set-password'))
    .description('set a password, from a prompt or from standard input; the tokens of the user are void')
    .argument('<email>')
    .action(async (email: string, options: { json?: boolean }) => {
      await withDirectory(env, async (opened) => {
        const { directory, config } = opened;
        const spellings = await readNewPassword(config, (await findUser(opened, email)).email);
        const hasher = createHasher(config.passwords.argon2);
        const passwordHash = await hasher.hash(spellings[0]);
        const changed = await changeUser(opened, email, async (user, asRead) => {
          if ((await matchingSpelling(hasher, user.passwordHash, spellings)) !== undefined)
            throw new StartupError('The password is refused. Must differ from the current password.');
          return directory.updateAndVoidTokens(user.id, { passwordHash }, asRead);
        });
        logEvent('password.set', { sub: changed.id });
        print(options.json, describeUser(changed), `${changed.email} has a new password.`);
      });
    });
}
