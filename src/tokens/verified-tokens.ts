import { createBoundedMap } from '../bounded-map.ts';
import type { AccessClaims } from './claims.ts';

/** Remembers access tokens whose signature and claims were checked, until they expire. */
export interface VerifiedTokens {
  /** The claims of a token seen before, unless `nowSeconds` has reached its end. */
  get(token: string, nowSeconds: number): AccessClaims | undefined;
  /** @param untilSeconds the first second at which the token is no longer accepted */
  add(token: string, claims: AccessClaims, untilSeconds: number): void;
}

/**
 * The key is the token's whole text, so a token spelled differently is only ever a miss. Only tokens that passed
 * every check are added: bad ones cannot displace good ones.
 */
export function createVerifiedTokens(capacity: number): VerifiedTokens {
  const entries = createBoundedMap<{ claims: AccessClaims; untilSeconds: number }>(capacity);
  return {
    get(token, nowSeconds) {
      const entry = entries.get(token);
      if (entry === undefined) return undefined;
      if (nowSeconds < entry.untilSeconds) return entry.claims;
      entries.delete(token);
      return undefined;
    },
    add: (token, claims, untilSeconds) => entries.set(token, { claims, untilSeconds }),
  };
}
