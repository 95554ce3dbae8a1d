import { quoted } from '../base/log-text.ts';
import { invalidToken } from '../problems/general.ts';
import type { User } from '../users/user.ts';
import type { UserDirectory } from '../users/user-directory.ts';

/**
 * The user of a verified token, if the user exists, is active, and still has the token version of the token.
 * @throws invalidToken
 */
export async function findCurrentUser(
  directory: UserDirectory,
  claims: { sub: string; ver: number },
): Promise<User> {
  const user = await directory.findById(claims.sub);
  if (user?.status !== 'active' || user.tokenVersion !== claims.ver) {
    const state = user ? `is ${user.status} with version ${user.tokenVersion}` : 'is not there';
    throw invalidToken({
      detail: 'The token has been revoked; log in again.',
      reason: () => `revoked: it has version ${claims.ver} of ${quoted(claims.sub)}, who ${state}`,
    });
  }
  return user;
}
