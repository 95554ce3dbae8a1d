import { createFollowingClock } from '../clock.ts';
import { type Config, readConfig } from '../config.ts';
import { StartupError } from '../startup-error.ts';
import { databaseName } from '../users/databases/index.ts';
import type { Directory, OperatorCondition } from '../users/directory.ts';
import { openDirectory } from '../users/open-directory.ts';
import { Email, type User } from '../users/user.ts';

/** What a command works with. */
export interface Opened {
  directory: Directory;
  config: Config;
}

/** Opens the configured directory, which has to be there, for one command. */
export async function withDirectory<T>(
  env: NodeJS.ProcessEnv,
  action: (opened: Opened) => Promise<T>,
): Promise<T> {
  const config = readConfig(env);
  const directory = await openDirectory(config, createFollowingClock(), false);
  try {
    return await action({ directory, config });
  } finally {
    await directory.close();
  }
}

/** @throws StartupError when the text is no email */
export function parseEmail(text: string): string {
  const { data } = Email.safeParse(text);
  if (data === undefined) throw new StartupError('This is not an email address.');
  return data;
}

/** How often a change is tried while others change the same user: nobody is that unlucky. */
const MOST_ATTEMPTS = 20;

/**
 * Changes the user with this email as they are at that moment. Where another operator or the user was faster, what to do is
 * asked again, of the user as they are by then.
 * @param change with the condition that it is given; undefined when that was not met
 * @throws StartupError when there is no such user
 */
export async function changeUser(
  { directory, config }: Opened,
  email: string,
  change: (user: User, asRead: OperatorCondition) => Promise<User | undefined>,
): Promise<User> {
  for (let attemptsLeft = MOST_ATTEMPTS; attemptsLeft > 0; attemptsLeft--) {
    const user = await findUser({ directory, config }, email);
    const { passwordHash, roles, tokenVersion } = user;
    const changed = await change(user, { email: user.email, passwordHash, roles, tokenVersion });
    if (changed) return changed;
  }
  throw new StartupError(
    'This user is being changed by somebody else all the time: nothing was changed here.',
  );
}

/** @throws StartupError when there is no such user */
export async function findUser({ directory, config }: Opened, email: string): Promise<User> {
  const user = await directory.findByEmail(parseEmail(email));
  if (user) return user;
  throw new StartupError(`There is no user with this email in ${databaseName(config.databaseUrl)}.`);
}
