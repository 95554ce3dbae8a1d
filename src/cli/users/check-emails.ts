import { Command } from 'commander';
import { printable } from '../../base/log-text.ts';
import { StartupError } from '../../base/startup-error.ts';
import type { Directory } from '../../users/directory.ts';
import { appearanceOf, Email } from '../../users/email.ts';
import { pagesOfUsers } from '../../users/pages.ts';
import type { User } from '../../users/user.ts';
import { print, withJson } from '../output.ts';
import { withDirectory } from '../with-directory.ts';

interface Finding {
  finding: 'spelling' | 'refused' | 'collision';
  id: string;
  email: string;
  /** The spelling of a new user. For a collision, what its users have in common. */
  canonical?: string;
  /** Why no new user could have this email. */
  reason?: string;
}

const HELP = `
  spelling   logs in as before; a new user would have the email as it stands behind the arrow
  refused    logs in as before; no new user could have this email
  collision  users whose emails are one mailbox, or look as if they were

The exit code is 1 when there are collisions, else 0. With --json each finding is one object on a line.`;

export function usersCheckEmails(env: NodeJS.ProcessEnv): Command {
  return withJson(new Command('check-emails'))
    .description('name the users whose email is not as a new one would be; changes nothing')
    .addHelpText('after', HELP)
    .action(({ json }: { json?: boolean }) =>
      withDirectory(env, async ({ directory }) => {
        const collisions = await checkAll(directory, (finding) => print(json, finding, toLine(finding)));
        if (collisions > 0)
          throw new StartupError(`Addresses of several users, or that look like one: ${collisions}.`);
      }),
    );
}

/** How many addresses collide. Only users whose email is not the canonical one are remembered: they are few. */
async function checkAll(directory: Directory, tell: (finding: Finding) => void): Promise<number> {
  const lookalikes = new Map<string, User[]>();
  function check(user: User): void {
    const finding = findingOf(user);
    if (finding) tell(finding);
    const appearance = appearanceOf(user.email);
    if (appearance === user.email) return;
    const alike = lookalikes.get(appearance);
    if (alike) alike.push(user);
    else lookalikes.set(appearance, [user]);
  }
  for await (const page of pagesOfUsers(directory)) page.forEach(check);
  let collisions = 0;
  for (const [canonical, users] of lookalikes) {
    const owner = await directory.findByEmail(canonical);
    const all = owner ? [owner, ...users] : users;
    if (all.length === 1) continue;
    collisions++;
    for (const { id, email } of all) tell({ finding: 'collision', id, email, canonical });
  }
  return collisions;
}

function findingOf({ id, email }: User): Finding | undefined {
  const { data: canonical, error } = Email.safeParse(email);
  if (error) return { finding: 'refused', id, email, reason: error.issues[0]?.message ?? '' };
  return canonical === email ? undefined : { finding: 'spelling', id, email, canonical };
}

function toLine({ finding, id, email, canonical, reason }: Finding): string {
  return printable(`${finding.padEnd(9)}  ${id}  ${email} ${reason ? `(${reason})` : `→ ${canonical}`}`);
}
