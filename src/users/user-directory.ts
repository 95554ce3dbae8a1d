import type { User } from './user.ts';

export type NewUser = Pick<User, 'email' | 'passwordHash' | 'roles'>;
export type UserChanges = Partial<Pick<User, 'passwordHash' | 'roles' | 'status' | 'emailVerified'>>;
/** What the row must still say for a change to happen, where somebody else may have changed it meanwhile. */
export type UserCondition = Partial<Pick<User, 'passwordHash' | 'tokenVersion'>>;

/** A user's token version, and when it was last raised. */
export interface RaisedVersion {
  sub: string;
  ver: number;
  raisedAtSeconds: number;
}

/**
 * What the API asks of a user directory, and what a program that embeds idcard may bring. An email is compared as it stands:
 * `Email` gives the spelling to store, `findByEmail` of find-by-email.ts asks for every spelling that a row may have. Every
 * call may throw `unavailable`.
 */
export interface UserDirectory {
  findByEmail(email: string): Promise<User | undefined>;
  findById(id: string): Promise<User | undefined>;
  /** @throws emailTaken */
  add(user: NewUser): Promise<User>;
  /** Changes a user whose tokens stay valid; undefined when there is none that meets the condition. */
  update(id: string, changes: UserChanges, condition?: UserCondition): Promise<User | undefined>;
  /** Changes a user, or nothing, and raises the token version, which voids every token issued before. */
  updateAndVoidTokens(id: string, changes: UserChanges, condition?: UserCondition): Promise<User | undefined>;
  /** The users whose token version was raised at this second or later, deleted ones included. */
  raisedSince(sinceSeconds: number): Promise<RaisedVersion[]>;
  close(): Promise<void>;
}
