import { randomBytes } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import type { Config } from '../../config/config.ts';
import { invalidToken, unavailable } from '../../problems/general.ts';
import type { Problem } from '../../problems/problem.ts';
import type { KeySet, TokenKind } from '../keys/key-set.ts';
import type { Revocations } from '../revocations/revocations.ts';
import { AccessClaims, CLIENT_ID, type CustomClaims, ownNameAmong, RefreshClaims, SCOPE } from './claims.ts';
import type { Jwt } from './jwt.ts';
import { tokenProfiles } from './profiles.ts';
import { createAccessVerifier, createOpener } from './verification.ts';
import type { VerifiedTokens } from './verified-tokens.ts';

/** One login of one user, as every token of it repeats it. */
interface Login {
  sub: string;
  /**
   * When the look-up began that gave this user and version: the tokens' life counts from here. Their version may be voided
   * while a login waits, and that is remembered for an access token's life, no longer.
   */
  issuedAtSeconds: number;
  /** Names this login; stays through every refresh. */
  sid: string;
  /** When the user proved who they are; stays through every refresh. */
  authTimeSeconds: number;
  /** RFC 8176 */
  amr: readonly string[];
  roles: readonly string[];
  /** The user's email, if it is verified. */
  email?: string | undefined;
  /** The user's token version. */
  ver: number;
  /** The thumbprint of the key that the tokens are bound to, if they are. */
  jkt: string | undefined;
  /** Claims of the access token beside the standard ones. */
  customClaims?: CustomClaims | undefined;
}

/** What a login or a refresh gives. How it travels is not known here. */
interface TokenPair {
  accessToken: string;
  accessExpiresInSeconds: number;
  refreshToken: string;
  refreshExpiresInSeconds: number;
  scope: string;
  tokenType: 'Bearer' | 'DPoP';
}

export interface Tokens {
  /** @throws unavailable when the tokens would not work: it took too long, or their version was voided meanwhile */
  issue(login: Login): TokenPair;
  /** The frozen claims of a valid access token. @throws invalidToken */
  verifyAccess(token: string): AccessClaims;
  /** The claims of a valid refresh token; the user's row is the caller's to compare. @throws invalidToken */
  verifyRefresh(token: string): RefreshClaims;
}

export interface TokenDependencies {
  issuer: string;
  settings: Config['tokens'];
  keySet: KeySet;
  jwt: Jwt;
  clock: Clock;
  verifiedTokens: VerifiedTokens;
  revocations: Revocations;
}

export function createTokens(dependencies: TokenDependencies): Tokens {
  const { issuer, settings, keySet, jwt, clock, verifiedTokens, revocations } = dependencies;
  const profiles = tokenProfiles(issuer, settings);
  const { audience, clockToleranceSeconds } = settings;
  const open = createOpener({ keySet, jwt, clock, clockToleranceSeconds });

  function issue(login: Login): TokenPair {
    const iat = login.issuedAtSeconds;
    const loginEndsAt = login.authTimeSeconds + settings.loginMaxAgeSeconds;
    const expiry = (kind: TokenKind) => Math.min(iat + profiles[kind].lifetimeSeconds, loginEndsAt);
    const claims = (kind: TokenKind) => ({
      iss: issuer,
      sub: login.sub,
      aud: profiles[kind].audience,
      exp: expiry(kind),
      iat,
      jti: randomBytes(16).toString('base64url'),
      auth_time: login.authTimeSeconds,
      amr: login.amr,
      ver: login.ver,
      ...(login.jkt !== undefined && { cnf: { jkt: login.jkt } }),
    });
    refuseReserved(login.customClaims ?? {});
    const access = {
      ...login.customClaims,
      ...claims('access'),
      client_id: CLIENT_ID,
      scope: SCOPE,
      roles: login.roles,
      ...(settings.emailClaim && login.email !== undefined && { email: login.email }),
    };
    refuseUnreadable(access);
    const refresh = { ...claims('refresh'), sid: login.sid };
    const now = clock();
    const isInTime = iat - clockToleranceSeconds <= now && now < access.exp;
    if (!isInTime || revocations.isRevoked(login)) throw notInTime();
    return {
      accessToken: jwt.sign(keySet.signingKey('access'), 'access', access),
      accessExpiresInSeconds: access.exp - now,
      refreshToken: jwt.sign(keySet.signingKey('refresh'), 'refresh', refresh),
      refreshExpiresInSeconds: refresh.exp - now,
      scope: SCOPE,
      tokenType: login.jkt === undefined ? 'Bearer' : 'DPoP',
    };
  }

  function verifyRefresh(token: string): RefreshClaims {
    const { claims } = open(token, {
      kind: 'refresh',
      issuer,
      audience: profiles.refresh.audience,
      claims: RefreshClaims,
      lifetimeSeconds: () => profiles.refresh.lifetimeSeconds,
    });
    // Holds even when the limit was lowered after this token was made.
    if (clock() >= claims.auth_time + settings.loginMaxAgeSeconds) {
      throw invalidToken({
        detail: 'This login has reached its greatest age; log in again.',
        reason: () =>
          `logged in ${clock() - claims.auth_time} s ago, at most ${settings.loginMaxAgeSeconds} s expected`,
      });
    }
    return claims;
  }

  return {
    issue,
    verifyAccess: createAccessVerifier({
      open,
      issuer,
      audience,
      lifetimeSeconds: () => profiles.access.lifetimeSeconds,
      clock,
      verifiedTokens,
      revocations,
    }),
    verifyRefresh,
  };
}

/** Whoever tries again is told what became of the user. */
function notInTime(): Problem {
  return unavailable({
    detail: 'The user or the time has changed meanwhile; try again.',
    retryAfterSeconds: 1,
  });
}

/** A claim that verifiers rely on is never another's to write, whether or not this token has it. */
function refuseReserved(customClaims: CustomClaims): void {
  const name = ownNameAmong(customClaims);
  if (name !== undefined) throw new Error(`The claim ${name} cannot be set: it is idcard's own.`);
}

/** What a directory of one's own says of a user may be no token's: a login that ends in one would work nowhere. */
function refuseUnreadable(access: object): void {
  const [issue] = AccessClaims.safeParse(access).error?.issues ?? [];
  if (issue) throw new Error(`The claim ${issue.path.join('.')} cannot be issued: ${issue.message}.`);
}
