/* idcard as a library: the app that `idcard serve` listens with, for programs that embed and extend it. */
import './base/node-version.ts';
import { buildApp as build, type IdcardApp } from './app.ts';
import type { Config } from './config/config.ts';
import type { Extensions } from './parts.ts';

export { requireRole } from './authentication.ts';
export { StartupError } from './base/startup-error.ts';
export { readConfig } from './config/config.ts';
export type { ClaimsFunction } from './logins.ts';
export type { LockedRoutes } from './parts.ts';
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
export type { Config, Extensions, IdcardApp };

/** The app of a configuration: its keys, database and limits are open, and closed with it. It does not listen. @throws StartupError */
export const buildApp: (config: Config, extensions?: Extensions) => Promise<IdcardApp> = build;
