import type { FastifyBaseLogger } from 'fastify';
import type { AttemptLimits } from './attempts/limits.ts';
import type { FollowingClock } from './base/clock.ts';
import type { Hasher } from './factors/passwords/hasher.ts';
import type { App } from './http/zod.ts';
import type { ClaimsFunction } from './logins.ts';
import type { Siblings } from './revocation-feed.ts';
import type { UserDirectory } from './users/user-directory.ts';

/** What a program that embeds idcard may bring. */
export interface Extensions {
  /** The users, instead of the database that the configuration names. The directory is closed with the app. */
  directory?: UserDirectory;
  /** Claims of access tokens beside the standard ones, for a user who logs in or renews. */
  customClaims?: ClaimsFunction;
  /** Routes of the program, behind the login: each has `request.claims`. */
  lockedRoutes?: LockedRoutes;
  /** A pino, or a logger like it. Without one, the log is lines of JSON on standard output. */
  logger?: FastifyBaseLogger;
}

/** Registers routes, each of which has `request.claims`: the claims of a verified access token. */
export type LockedRoutes = (locked: App) => unknown;

/** What a program, a worker or a test brings, instead of what the configuration describes. */
export interface Parts extends Extensions {
  hasher?: Hasher;
  clock?: FollowingClock;
  /** In a worker: the limits that the primary holds. */
  primaryLimits?: AttemptLimits;
  siblings?: Siblings;
  /** For tests, whose clock stands still: after the first poll, only `pollRevocations` polls. */
  pollsByHand?: boolean;
}
