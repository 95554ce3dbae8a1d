/* idcard as a library: the app that `idcard serve` listens with, for programs that embed and extend it. */
import './base/node-version.ts';

export { buildApp, type IdcardApp } from './app.ts';
export { requireRole } from './authentication.ts';
export { StartupError } from './base/startup-error.ts';
export { type Config, readConfig } from './config/config.ts';
export type { Extensions, LockedRoutes } from './house.ts';
export type { ClaimsFunction } from './logins.ts';
export { unavailable } from './problems/general.ts';
export type { CustomClaims } from './proofs/tokens/claims.ts';
export { emailTaken } from './users/problems.ts';
export type { User } from './users/user.ts';
export type {
  NewUser,
  RaisedVersion,
  UserChanges,
  UserCondition,
  UserDirectory,
} from './users/user-directory.ts';
