import { Command } from 'commander';
import { printable } from '../../base/log-text.ts';
import { describeUser, print, withJson } from '../output.ts';
import { findUser, withDirectory } from '../with-directory.ts';

export function usersShow(env: NodeJS.ProcessEnv): Command {
  return withJson(new Command('show'))
    .description('show what is known of a user')
    .argument('<email>')
    .action((email: string, options: { json?: boolean }) =>
      withDirectory(env, async (opened) => {
        const user = await findUser(opened, email);
        const description = {
          ...describeUser(user),
          token_version: user.tokenVersion,
          has_password: user.passwordHash !== null,
        };
        const yesOrNo = (value: boolean) => (value ? 'yes' : 'no');
        const lines = [
          ['id', description.id],
          ['email', description.email],
          ['verified', yesOrNo(description.email_verified)],
          ['roles', description.roles.join(', ') || 'none'],
          ['status', description.status],
          ['token version', String(description.token_version)],
          ['created', description.created_at],
          ['password', yesOrNo(description.has_password)],
        ];
        const text = lines.map(([name = '', value = '']) => `${name.padEnd(15)}${printable(value)}`);
        print(options.json, description, text.join('\n'));
      }),
    );
}
