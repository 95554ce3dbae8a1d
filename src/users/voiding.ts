import type { RaisedVersion, UserDirectory } from './user-directory.ts';

/**
 * The directory, such that whoever voids tokens by it tells so at once. It may be of any class: each method is called on it.
 * @param nowSeconds when a version was raised
 */
export function tellWhenVoided(
  directory: UserDirectory,
  nowSeconds: () => number,
  tell: (voided: RaisedVersion) => void,
): UserDirectory {
  return {
    findByEmail: (email) => directory.findByEmail(email),
    findById: (id) => directory.findById(id),
    add: (user) => directory.add(user),
    update: (id, changes, condition) => directory.update(id, changes, condition),
    async updateAndVoidTokens(id, changes, condition) {
      const user = await directory.updateAndVoidTokens(id, changes, condition);
      if (user) tell({ sub: id, ver: user.tokenVersion, raisedAtSeconds: nowSeconds() });
      return user;
    },
    raisedSince: (sinceSeconds) => directory.raisedSince(sinceSeconds),
    close: () => directory.close(),
  };
}
