import { Command } from 'commander';
import { databaseName } from '../../database/index.ts';
import { createHasher } from '../../factors/passwords/hasher.ts';
import { describeUser, logEvent, print, withJson } from '../output.ts';
import { readNewPassword } from '../password-input.ts';
import { readNewEmail, withDirectory } from '../with-directory.ts';
import { parseRoles } from './set-roles.ts';

export function usersAdd(env: NodeJS.ProcessEnv): Command {
  return withJson(new Command('add'))
    .description('add a user; the password comes from a prompt or from standard input')
    .argument('<email>')
    .option('--role <role...>', 'what the user is, e.g. admin', [])
    .action(async (email: string, options: { role: string[]; json?: boolean }) => {
      const roles = parseRoles(options.role);
      await withDirectory(env, async ({ directory, config }) => {
        const newEmail = await readNewEmail(directory, email);
        const [password] = await readNewPassword(config, newEmail);
        const hasher = createHasher(config.passwords.argon2);
        const passwordHash = await hasher.hash(password);
        const user = await directory.add({ email: newEmail, passwordHash, roles });
        logEvent('user.added', { sub: user.id, roles });
        print(
          options.json,
          describeUser(user),
          `Added ${user.email} as ${user.id} to ${databaseName(config.database.url)}.`,
        );
      });
    });
}
