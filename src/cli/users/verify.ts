import { Command } from 'commander';
import { describeUser, logEvent, print, withJson } from '../output.ts';
import { changeUser, withDirectory } from '../with-directory.ts';

export function usersVerify(env: NodeJS.ProcessEnv): Command {
  return withJson(new Command('verify'))
    .description('vouch that the email is the user’s own, who then has it in tokens where EMAIL_CLAIM is on')
    .argument('<email>')
    .option('--undo', 'take it back; the tokens of the user are void')
    .action(async (email: string, { undo = false, json }: { undo?: boolean; json?: boolean }) => {
      await withDirectory(env, async (opened) => {
        const { update, updateAndVoidTokens } = opened.directory;
        const change = undo ? updateAndVoidTokens : update;
        const changed = await changeUser(opened, email, ({ id }, asRead) =>
          change(id, { emailVerified: !undo }, asRead),
        );
        logEvent(undo ? 'user.email-unverified' : 'user.email-verified', { sub: changed.id });
        print(
          json,
          describeUser(changed),
          `${changed.email} is ${changed.emailVerified ? 'verified' : 'not verified'}.`,
        );
      });
    });
}
