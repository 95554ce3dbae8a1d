import { createFollowingClock } from '../clock.ts';
import { type Config, readConfig } from '../config.ts';
import { StartupError } from '../startup-error.ts';
import type { Directory } from '../users/directory.ts';
import { openDirectory } from '../users/open-directory.ts';
import { Email, type User } from '../users/user.ts';

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

/** @throws StartupError when the text is no email */
export function parseEmail(text: string): string {
  const { data } = Email.safeParse(text);
  if (data === undefined) throw new StartupError('This is not an email address.');
  return data;
}

/** @throws StartupError when there is no such user */
export async function findUser(directory: Directory, email: string): Promise<User> {
  const user = await directory.findByEmail(parseEmail(email));
  if (!user) throw new StartupError('There is no user with this email.');
  return user;
}
