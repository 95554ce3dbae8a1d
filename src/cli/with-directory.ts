import { createFollowingClock } from '../clock.ts';
import { type Config, readConfig } from '../config.ts';
import { StartupError } from '../startup-error.ts';
import type { Directory } from '../users/directory.ts';
import { KnownEmail, NewEmail } from '../users/email.ts';
import { findByEmail, refuseTaken } from '../users/find-by-email.ts';
import { openDirectory } from '../users/open-directory.ts';
import type { User } from '../users/user.ts';

/** Opens the configured directory for one command. */
export async function withDirectory<T>(
  env: NodeJS.ProcessEnv,
  action: (directory: Directory, config: Config) => Promise<T>,
): Promise<T> {
  const config = readConfig(env);
  const directory = await openDirectory(config, createFollowingClock());
  try {
    return await action(directory, config);
  } finally {
    await directory.close();
  }
}

/**
 * The address that a user is to get, in the spelling that is stored.
 * @param ownerId who may have it already, in another spelling
 * @throws StartupError, emailTaken
 */
export async function readNewEmail(directory: Directory, text: string, ownerId?: string): Promise<string> {
  const { data: spellings, error } = NewEmail.safeParse(text);
  if (error) throw new StartupError(`The email is refused. ${error.issues[0]?.message}.`);
  await refuseTaken(directory, spellings, ownerId);
  return spellings[0];
}

/**
 * Of two users with one mailbox, the one whose row has it as it was typed: an operator copies it from a list.
 * @throws StartupError when there is no such user
 */
export async function findUser(directory: Directory, email: string): Promise<User> {
  const { data: spellings } = KnownEmail.safeParse(email);
  if (!spellings) throw new StartupError('This is not an email address.');
  const user = (await directory.findByEmail(email)) ?? (await findByEmail(directory, spellings));
  if (!user) throw new StartupError('There is no user with this email.');
  return user;
}
