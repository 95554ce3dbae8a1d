import type { Spellings } from './email.ts';
import { emailTaken } from './problems.ts';
import type { User } from './user.ts';
import type { UserDirectory } from './user-directory.ts';

type Finder = Pick<UserDirectory, 'findByEmail'>;

/**
 * The user of an address, whose row may have it in an older spelling. Each spelling is looked up, whether the one before is
 * found or not: how many there are depends on what was typed alone, so that the time tells nothing of who is there.
 */
export async function findByEmail(directory: Finder, spellings: Spellings): Promise<User | undefined> {
  const found = await Promise.all(spellings.map((spelling) => directory.findByEmail(spelling)));
  return found.find((user) => user !== undefined);
}

/**
 * For an address that somebody is about to get: the directory itself knows only whether the canonical spelling is taken.
 * @param ownerId who may have it already
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
