import type { Spellings } from './email.ts';
import { emailTaken } from './problems.ts';
import type { User } from './user.ts';
import type { UserDirectory } from './user-directory.ts';

type Finder = Pick<UserDirectory, 'findByEmail'>;

/**
 * The user of an address, whose row may have an older spelling. Every spelling is looked up, even when an earlier one was found.
 * So the number of queries depends only on what was typed, and the time does not tell who has an account.
 */
export async function findByEmail(directory: Finder, spellings: Spellings): Promise<User | undefined> {
  const found = await Promise.all(spellings.map((spelling) => directory.findByEmail(spelling)));
  return found.find((user) => user !== undefined);
}

/**
 * Refuses an address whose mailbox another user has. The directory itself refuses only the canonical spelling.
 * @param ownerId the user who is to have the address
 * @throws emailTaken
 */
export async function refuseTaken(
  directory: Finder,
  [, ...others]: Spellings,
  ownerId?: string,
): Promise<void> {
  const [first, ...more] = others;
  if (first === undefined) return;
  const user = await findByEmail(directory, [first, ...more]);
  if (user && user.id !== ownerId) throw emailTaken();
}
