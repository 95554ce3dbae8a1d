import { createFollowingClock } from '../base/clock.ts';
import { StartupError } from '../base/startup-error.ts';
import { type Config, readConfig } from '../config/config.ts';
import { databaseName } from '../database/index.ts';
import type { Directory, OperatorCondition } from '../users/directory.ts';
import { KnownEmail, NewEmail } from '../users/email.ts';
import { findByEmail, refuseTaken } from '../users/find-by-email.ts';
import { openDirectory } from '../users/open-directory.ts';
import type { User } from '../users/user.ts';

/** The directory of a command, and what belongs to it. */
export interface Opened {
  directory: Directory;
  config: Config;
}

/** Opens the configured directory for one command, and makes none. */
export async function withDirectory<T>(
  env: NodeJS.ProcessEnv,
  action: (opened: Opened) => Promise<T>,
): Promise<T> {
  const config = readConfig(env);
  const directory = await openDirectory(config, createFollowingClock(), { mayCreate: false });
  try {
    return await action({ directory, config });
  } finally {
    await directory.close();
  }
}

/**
 * The address that a user is to have, in the spelling to store.
 * @param ownerId the user, who may have the address already in another spelling
 * @throws StartupError, emailTaken
 */
export async function readNewEmail(directory: Directory, text: string, ownerId?: string): Promise<string> {
  const { data: spellings, error } = NewEmail.safeParse(text);
  if (error) throw new StartupError(`The email is refused. ${error.issues[0]?.message}.`);
  await refuseTaken(directory, spellings, ownerId);
  return spellings[0];
}

/** How often a change is tried while others change the same user. */
const MOST_ATTEMPTS = 20;

/**
 * Changes the user with this email. When another operator or the user was faster, `change` is called again, with the user as they
 * are by then.
 * @param change makes the change under the given condition; undefined when the condition was not met
 * @throws StartupError when there is no such user
 */
export async function changeUser(
  opened: Opened,
  email: string,
  change: (user: User, asRead: OperatorCondition) => Promise<User | undefined>,
): Promise<User> {
  for (let attemptsLeft = MOST_ATTEMPTS; attemptsLeft > 0; attemptsLeft--) {
    const user = await findUser(opened, email);
    const { passwordHash, roles, tokenVersion } = user;
    const changed = await change(user, { email: user.email, passwordHash, roles, tokenVersion });
    if (changed) return changed;
  }
  throw new StartupError(
    'This user is being changed by somebody else all the time: nothing was changed here.',
  );
}

/**
 * The user of an email. Of two users with one mailbox, the one whose row has the email as it was typed: operators copy it from a list.
 * @throws StartupError when there is no such user
 */
export async function findUser({ directory, config }: Opened, email: string): Promise<User> {
  const { data: spellings } = KnownEmail.safeParse(email);
  if (!spellings) throw new StartupError('This is not an email address.');
  const user = (await directory.findByEmail(email)) ?? (await findByEmail(directory, spellings));
  if (user) return user;
  throw new StartupError(`There is no user with this email in ${databaseName(config.database.url)}.`);
}
