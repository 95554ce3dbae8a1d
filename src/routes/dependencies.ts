import type { Attempts } from '../attempts/attempts.ts';
import type { Clock } from '../base/clock.ts';
import type { Config } from '../config/config.ts';
import type { Hasher } from '../factors/passwords/hasher.ts';
import type { LazyPasswordPolicy } from '../factors/passwords/lazy-policy.ts';
import type { Dpop } from '../proofs/dpop/dpop.ts';
import type { KeySet } from '../proofs/keys/key-set.ts';
import type { RevocationList } from '../proofs/revocations/revocation-list.ts';
import type { CustomClaims } from '../proofs/tokens/claims.ts';
import type { DeviceTokens } from '../proofs/tokens/device-tokens.ts';
import type { Tokens } from '../proofs/tokens/tokens.ts';
import type { RevocationFeed } from '../revocation-feed.ts';
import type { Transports } from '../transports/index.ts';
import type { User } from '../users/user.ts';
import type { UserDirectory } from '../users/user-directory.ts';

/** What routes are given; each takes what it needs. */
export interface RouteDependencies {
  config: Config;
  keySet: KeySet;
  clock: Clock;
  /** What new tokens say of their beginning; the same unless another clock is followed. */
  issuingClock: Clock;
  tokens: Tokens;
  dpop: Dpop;
  deviceTokens: DeviceTokens;
  transports: Transports;
  directory: UserDirectory;
  hasher: Hasher;
  passwordPolicy: LazyPasswordPolicy;
  attempts: Attempts;
  lifecycle: Lifecycle;
  feed: RevocationFeed;
  revocationList: RevocationList;
  /** Claims of access tokens beside the standard ones. */
  customClaims: ClaimsFunction | undefined;
}

/** Called for each access token that is issued. @throws whatever goes wrong: then no token is issued */
export type ClaimsFunction = (user: User) => CustomClaims | Promise<CustomClaims>;

/** Set by the process, read by `GET /readyz`. */
export interface Lifecycle {
  stopping: boolean;
}
