import { Command } from 'commander';
import type { User } from '../../users/user.ts';
import { describeUser, logEvent, print, withJson } from '../output.ts';
import { changeUser, withDirectory } from '../with-directory.ts';

export function usersDisable(env: NodeJS.ProcessEnv): Command {
  return statusCommand(
    env,
    'disable',
    'disabled',
    'ban a user: no login, and the tokens of the user are void',
  );
}

export function usersEnable(env: NodeJS.ProcessEnv): Command {
  return statusCommand(env, 'enable', 'active', 'let a disabled user log in again');
}

function statusCommand(
  env: NodeJS.ProcessEnv,
  name: string,
  status: User['status'],
  description: string,
): Command {
  return withJson(new Command(name))
    .description(description)
    .argument('<email>')
    .action(async (email: string, options: { json?: boolean }) => {
      await withDirectory(env, async (opened) => {
        const { update, updateAndVoidTokens } = opened.directory;
        const change = status === 'disabled' ? updateAndVoidTokens : update;
        const changed = await changeUser(opened, email, ({ id }, asRead) => change(id, { status }, asRead));
        logEvent(status === 'disabled' ? 'user.disabled' : 'user.enabled', { sub: changed.id });
        print(options.json, describeUser(changed), `${changed.email} is ${changed.status}.`);
      });
    });
}
