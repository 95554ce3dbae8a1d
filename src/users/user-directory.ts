import type { User } from './user.ts';

export type NewUser = Pick<User, 'email' | 'passwordHash' | 'roles'>;
export type UserChanges = Partial<Pick<User, 'passwordHash' | 'roles' | 'status' | 'emailVerified'>>;
/** What the row must still say for a change to happen: somebody else may have changed the row meanwhile. */
export type UserCondition = Partial<Pick<User, 'passwordHash' | 'tokenVersion'>>;

/** A user's token version, and when it was last raised. */
export interface RaisedVersion {
  sub: string;
  ver: number;
  raisedAtSeconds: number;
}

/**
 * What the API asks of a user directory, which a program that embeds idcard may bring. The directory compares emails as they
 * stand: `Email` gives the spelling to store, and `findByEmail` of find-by-email.ts asks for every spelling that a row may have.
 * Every call may throw `unavailable`.
 */
export interface UserDirectory {
  findByEmail(email: string): Promise<User | undefined>;
  findById(id: string): Promise<User | undefined>;
  /** @throws emailTaken */
  add(user: NewUser): Promise<User>;
  /** Changes a user, whose tokens stay valid; undefined when no user meets the condition. */
  update(id: string, changes: UserChanges, condition?: UserCondition): Promise<User | undefined>;
  /** Changes a user and raises the token version, which voids every token issued before. `changes` may be empty. */
  updateAndVoidTokens(id: string, changes: UserChanges, condition?: UserCondition): Promise<User | undefined>;
  /** The users whose token version was raised at this second or later, deleted ones included. */
  raisedSince(sinceSeconds: number): Promise<RaisedVersion[]>;
  close(): Promise<void>;
}
