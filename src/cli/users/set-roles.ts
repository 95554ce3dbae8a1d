import { Command } from 'commander';
import { StartupError } from '../../base/startup-error.ts';
import { MAX_ROLES, Role } from '../../users/user.ts';
import { describeUser, logEvent, print, withJson } from '../output.ts';
import { changeUser, withDirectory } from '../with-directory.ts';

export function usersSetRoles(env: NodeJS.ProcessEnv): Command {
  return withJson(new Command('set-roles'))
    .description('replace the roles of a user; when one is taken away, the tokens of the user are void')
    .argument('<email>')
    .argument('[roles...]', 'none takes every role away')
    .action(async (email: string, texts: string[], options: { json?: boolean }) => {
      const roles = parseRoles(texts);
      await withDirectory(env, async (opened) => {
        const changed = await changeUser(opened, email, (user, asRead) => {
          const takesAway = user.roles.some((role) => !roles.includes(role));
          const { update, updateAndVoidTokens } = opened.directory;
          return (takesAway ? updateAndVoidTokens : update)(user.id, { roles }, asRead);
        });
        logEvent('user.roles-changed', { sub: changed.id, roles });
        print(
          options.json,
          describeUser(changed),
          `${changed.email} has the roles: ${roles.join(', ') || 'none'}.`,
        );
      });
    });
}

/** @throws StartupError */
export function parseRoles(texts: readonly string[]): string[] {
  const roles = [...new Set(texts)];
  if (roles.length > MAX_ROLES) throw new StartupError(`A user has ${MAX_ROLES} roles at most.`);
  for (const role of roles) {
    const { error } = Role.safeParse(role);
    if (error) throw new StartupError(`The role is refused. ${error.issues[0]?.message}.`);
  }
  return roles;
}
