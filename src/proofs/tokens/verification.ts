import type { z } from 'zod';
import type { Clock } from '../../base/clock.ts';
import { quoted } from '../../base/log-text.ts';
import { invalidToken } from '../../problems/general.ts';
import { readTokenHeader } from '../jws.ts';
import type { TokenKind } from '../keys/key-set.ts';
import { explainClaims } from '../malformed.ts';
import { AccessClaims } from './claims.ts';
import { createClaimsFreezer } from './frozen-claims.ts';
import { SIGNED_KINDS, type SignedKind } from './profiles.ts';
import { explainExpiry, explainHeader, explainKey, explainSignature } from './refusal-reasons.ts';
import type { VerifiedTokens } from './verified-tokens.ts';

/** A key to verify with: this server's own, or one fetched from the issuer. */
export interface VerificationKey {
  algorithm: string;
  /** The only kind of token that the key signs. */
  signs: TokenKind;
  /** From this second on, nothing that the key signed is accepted. */
  retiredAtSeconds: number;
}

export interface Verification<K extends VerificationKey> {
  /** The key with this `kid`, unless it is retired. */
  keySet: { verificationKey(kid: string): K | undefined };
  /** The payload of a token whose signature is right. Throws otherwise. */
  jwt: { verifySignature(key: K, token: string): unknown };
  clock: Clock;
  clockToleranceSeconds: number;
}

/** What a signed text must be. */
export interface Expected<C> {
  kind: SignedKind;
  issuer: string;
  /** More than one where a kind changed its audience. */
  audience: string | readonly string[];
  claims: z.ZodType<C>;
  /** How long it lives at most, whatever its `exp` says; undefined when only `exp` counts. */
  lifetimeSeconds?(): number | undefined;
  /** For texts that are longer than a cookie, as users' tokens never are. */
  maxLength?: number;
}

/** The claims that are compared for every kind. */
interface CommonClaims {
  iss: string;
  aud: string | string[];
  iat: number;
  nbf?: number | undefined;
  exp: number;
}

/**
 * Opens JWTs of every kind, here and in `idcard-verifier`: `open(text, expected)` gives the claims, the first second at which the
 * JWT is valid, and the first at which it no longer is. @throws invalidToken
 */
export function createOpener<K extends VerificationKey>(verification: Verification<K>) {
  const { keySet, jwt, clock, clockToleranceSeconds } = verification;

  /** RFC 8725 §3: checks text, type and key, then the signature. Nothing in a token is believed before. */
  function verifySignature(
    token: string,
    kind: SignedKind,
    maxLength?: number,
  ): { key: K; payload: unknown } {
    const { typ, key: signer } = SIGNED_KINDS[kind];
    const header = readTokenHeader(token, maxLength);
    if (header?.typ !== typ) throw invalidToken({ reason: () => explainHeader(token, kind, maxLength) });
    const key = keySet.verificationKey(header.kid);
    if (key?.signs !== signer || key.algorithm !== header.alg)
      throw invalidToken({ reason: () => explainKey(header, key, signer) });
    try {
      return { key, payload: jwt.verifySignature(key, token) };
    } catch (cause) {
      // Whatever the library throws at a stranger's text: the token is bad, and the server works.
      throw invalidToken({ cause, reason: () => explainSignature(cause) });
    }
  }

  return <C extends CommonClaims>(token: string, expected: Expected<C>) => {
    const { key, payload } = verifySignature(token, expected.kind, expected.maxLength);
    const claims = parse(expected.claims, payload);
    const audiences = [expected.audience].flat();
    // RFC 9068 §4, RFC 7519 §4.1. `iat` and `nbf` have a tolerance, for clocks that are ahead of this one; `exp` has none.
    if (claims.iss !== expected.issuer)
      throw invalidToken({ reason: () => mismatch('issuer', claims.iss, [expected.issuer]) });
    if (![claims.aud].flat().some((audience) => audiences.includes(audience)))
      throw invalidToken({ reason: () => mismatch('audience', claims.aud, audiences) });
    const now = clock();
    const validFromSeconds = Math.max(claims.iat, claims.nbf ?? 0) - clockToleranceSeconds;
    // Revocations are kept for today's lifetime of access tokens: a token made under a longer one must not outlive them.
    const longestSeconds = expected.lifetimeSeconds?.() ?? Number.POSITIVE_INFINITY;
    const untilSeconds = Math.min(claims.exp, claims.iat + longestSeconds, key.retiredAtSeconds);
    if (now >= untilSeconds)
      throw invalidToken({
        detail: 'The token has expired.',
        reason: () => explainExpiry(claims, now, longestSeconds),
      });
    if (now < validFromSeconds)
      throw invalidToken({
        detail: 'The token is not valid yet.',
        reason: () =>
          `issued in the future, or good from then on: ${validFromSeconds + clockToleranceSeconds - now} s ahead of this clock`,
      });
    return { claims, validFromSeconds, untilSeconds };
  };
}

function mismatch(name: string, value: unknown, expected: readonly string[]): string {
  return `wrong ${name}: ${quoted(value)}, expected ${expected.map(quoted).join(' or ')}`;
}

function parse<T>(schema: z.ZodType<T>, payload: unknown): T {
  const { data, error } = schema.safeParse(payload);
  if (error) throw invalidToken({ cause: error, reason: () => explainClaims(error, payload) });
  return data;
}

type AccessDependencies<K extends VerificationKey> = {
  open: ReturnType<typeof createOpener<K>>;
  issuer: string;
  audience: string;
  /** How long access tokens live at most, whatever their `exp` says; undefined while that is unknown. */
  lifetimeSeconds(): number | undefined;
  clock: Clock;
  verifiedTokens: Pick<VerifiedTokens, 'get' | 'add'>;
  revocations: { isRevoked(claims: Pick<AccessClaims, 'sub' | 'ver' | 'iat'>): boolean };
};

/** Verifies access tokens: gives the frozen claims of a valid one. @throws invalidToken */
export function createAccessVerifier<K extends VerificationKey>(
  dependencies: AccessDependencies<K>,
): (token: string) => AccessClaims {
  const { open, issuer, audience, lifetimeSeconds, clock, verifiedTokens, revocations } = dependencies;
  const expected = { kind: 'access', issuer, audience, claims: AccessClaims, lifetimeSeconds } as const;
  const freeze = createClaimsFreezer();

  function verifyForTheFirstTime(token: string): AccessClaims {
    const opened = open(token, expected);
    const claims = freeze(opened.claims);
    refuseRevoked(claims);
    verifiedTokens.add(token, claims, opened.validFromSeconds, opened.untilSeconds);
    return claims;
  }

  function refuseRevoked(claims: AccessClaims): void {
    if (revocations.isRevoked(claims))
      throw invalidToken({
        detail: 'The token has been revoked; log in again.',
        reason: () =>
          `revoked: it has version ${claims.ver} of ${quoted(claims.sub)}, which was voided since`,
      });
  }

  return (token) => {
    const remembered = verifiedTokens.get(token, clock());
    if (remembered === undefined) return verifyForTheFirstTime(token);
    refuseRevoked(remembered); // each time: the token may have been revoked since
    return remembered;
  };
}
