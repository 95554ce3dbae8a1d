import { randomBytes } from 'node:crypto';
import type { z } from 'zod';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import { invalidToken } from '../problems/catalogue.ts';
import { AccessClaims, CLIENT_ID, RefreshClaims, SCOPE } from './claims.ts';
import { createClaimsFreezer } from './frozen-claims.ts';
import { readTokenHeader } from './jws.ts';
import type { Jwt } from './jwt.ts';
import type { Key, KeySet } from './key-set.ts';
import { type TokenKind, tokenProfiles } from './profiles.ts';
import type { Revocations } from './revocations.ts';
import type { VerifiedTokens } from './verified-tokens.ts';

/** One login of one user, as every token of it repeats it. */
export interface Login {
  sub: string;
  /** Names this login; stays through every refresh. */
  sid: string;
  /** When the user proved who they are; stays through every refresh. */
  authTimeSeconds: number;
  /** RFC 8176 */
  amr: readonly string[];
  roles: readonly string[];
  /** The user's token version. */
  ver: number;
  /** The thumbprint of the key that the tokens are bound to, if they are. */
  jkt: string | undefined;
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
  issue(login: Login): TokenPair;
  /** The frozen claims of a valid access token. @throws invalidToken */
  verifyAccess(token: string): AccessClaims;
  /** The claims of a valid refresh token; the user's row is the caller's to compare. @throws invalidToken */
  verifyRefresh(token: string): RefreshClaims;
}

export interface TokenDependencies {
  config: Config;
  keySet: KeySet;
  jwt: Jwt;
  clock: Clock;
  verifiedTokens: VerifiedTokens;
  revocations: Revocations;
}

export function createTokens(dependencies: TokenDependencies): Tokens {
  const { config, keySet, jwt, clock, verifiedTokens, revocations } = dependencies;
  const profiles = tokenProfiles(config);
  const freeze = createClaimsFreezer();

  function issue(login: Login): TokenPair {
    const now = clock();
    const loginEndsAt = login.authTimeSeconds + config.loginMaxAgeSeconds;
    const expiry = (kind: TokenKind) => Math.min(now + profiles[kind].lifetimeSeconds, loginEndsAt);
    const claims = (kind: TokenKind) => ({
      iss: config.publicUrl,
      sub: login.sub,
      aud: profiles[kind].audience,
      exp: expiry(kind),
      iat: now,
      jti: randomBytes(16).toString('base64url'),
      auth_time: login.authTimeSeconds,
      amr: login.amr,
      ver: login.ver,
      ...(login.jkt !== undefined && { cnf: { jkt: login.jkt } }),
    });
    const access = { ...claims('access'), client_id: CLIENT_ID, scope: SCOPE, roles: login.roles };
    const refresh = { ...claims('refresh'), sid: login.sid };
    return {
      accessToken: jwt.sign(keySet.signingKey('access'), 'access', access),
      accessExpiresInSeconds: access.exp - now,
      refreshToken: jwt.sign(keySet.signingKey('refresh'), 'refresh', refresh),
      refreshExpiresInSeconds: refresh.exp - now,
      scope: SCOPE,
      tokenType: login.jkt === undefined ? 'Bearer' : 'DPoP',
    };
  }

  function verifyAccess(token: string): AccessClaims {
    const remembered = verifiedTokens.get(token, clock());
    if (remembered === undefined) return verifyForTheFirstTime(token);
    refuseRevoked(remembered); // asked each time: it may have been revoked since
    return remembered;
  }

  function verifyForTheFirstTime(token: string): AccessClaims {
    const { key, payload } = open(token, 'access');
    const claims = freeze(parse(AccessClaims, payload));
    checkClaims(claims, 'access');
    refuseRevoked(claims);
    verifiedTokens.add(token, claims, validFrom(claims), Math.min(claims.exp, key.retiredAtSeconds));
    return claims;
  }

  function verifyRefresh(token: string): RefreshClaims {
    const claims = parse(RefreshClaims, open(token, 'refresh').payload);
    checkClaims(claims, 'refresh');
    // Holds even when the limit was lowered after this token was made.
    if (clock() >= claims.auth_time + config.loginMaxAgeSeconds) {
      throw invalidToken({ detail: 'This login has reached its greatest age; log in again.' });
    }
    return claims;
  }

  /** RFC 8725 §3: the token's text, type and key first, then its signature; nothing in it is believed before. */
  function open(token: string, kind: TokenKind): { key: Key; payload: unknown } {
    const header = readTokenHeader(token);
    if (header?.typ !== profiles[kind].typ) throw invalidToken();
    const key = keySet.verificationKey(header.kid);
    if (key?.signs !== kind || key.algorithm !== header.alg) throw invalidToken();
    try {
      return { key, payload: jwt.verifySignature(key, token) };
    } catch (cause) {
      // Whatever a stranger's text makes the library throw, the token is bad and the server is not.
      throw invalidToken({ cause });
    }
  }

  /** RFC 9068 §4 and RFC 7519 §4.1; `exp` has no tolerance. */
  function checkClaims(claims: AccessClaims | RefreshClaims, kind: TokenKind): void {
    if (claims.iss !== config.publicUrl) throw invalidToken();
    if (![claims.aud].flat().includes(profiles[kind].audience)) throw invalidToken();
    const now = clock();
    if (now >= claims.exp) throw invalidToken({ detail: 'The token has expired.' });
    if (now < validFrom(claims)) throw invalidToken({ detail: 'The token is not valid yet.' });
  }

  function refuseRevoked(claims: AccessClaims): void {
    if (revocations.isRevoked(claims))
      throw invalidToken({ detail: 'The token has been revoked; log in again.' });
  }

  /** The tolerance is for clocks that are ahead of this one. */
  function validFrom({ iat, nbf = 0 }: AccessClaims | RefreshClaims): number {
    return Math.max(iat, nbf) - config.clockToleranceSeconds;
  }

  return { issue, verifyAccess, verifyRefresh };
}

function parse<T>(schema: z.ZodType<T>, payload: unknown): T {
  const { data, error } = schema.safeParse(payload);
  if (error) throw invalidToken({ cause: error });
  return data;
}
