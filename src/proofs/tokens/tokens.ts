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

/** One login of one user, as its tokens state it. */
interface Login {
  sub: string;
  /**
   * When the look-up of this user and version began: the life of the tokens counts from here. The version may be voided while
   * a login waits, and a revocation is remembered only for the life of an access token.
   */
  issuedAtSeconds: number;
  /** The id of this login; no refresh changes it. */
  sid: string;
  /** When the user proved who they are; no refresh changes it. */
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

/** The result of a login or a refresh. */
interface TokenPair {
  accessToken: string;
  accessExpiresInSeconds: number;
  refreshToken: string;
  refreshExpiresInSeconds: number;
  scope: string;
  tokenType: 'Bearer' | 'DPoP';
}

export interface Tokens {
  /** @throws unavailable when the tokens would not work: the login took too long, or their version was voided meanwhile */
  issue(login: Login): TokenPair;
  /** The frozen claims of a valid access token. @throws invalidToken */
  verifyAccess(token: string): AccessClaims;
  /** The claims of a valid refresh token. The caller compares them with the user's row. @throws invalidToken */
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
    // Checked beside `exp`: the limit may have been lowered after the token was made.
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

/** Temporary: the next attempt tells what became of the user. */
function notInTime(): Problem {
  return unavailable({
    detail: 'The user or the time has changed meanwhile; try again.',
    retryAfterSeconds: 1,
  });
}

/** Verifiers rely on idcard's own claims, so a custom claim may have none of their names, even one that this token lacks. */
function refuseReserved(customClaims: CustomClaims): void {
  const name = ownNameAmong(customClaims);
  if (name !== undefined) throw new Error(`The claim ${name} cannot be set: it is idcard's own.`);
}

/** A directory of one's own may describe a user in a way that no verifier accepts: such tokens would be refused everywhere. */
function refuseUnreadable(access: object): void {
  const [issue] = AccessClaims.safeParse(access).error?.issues ?? [];
  if (issue) throw new Error(`The claim ${issue.path.join('.')} cannot be issued: ${issue.message}.`);
}
