import { createBoundedMap, ownText } from '../bounded-map.ts';
import type { AccessClaims } from './claims.ts';

/** Remembers access tokens whose signature and claims were checked, for the seconds in which they are valid. */
export interface VerifiedTokens {
  /** The claims of a token seen before, unless its time is over, or is still to come on a clock that was set back. */
  get(token: string, nowSeconds: number): AccessClaims | undefined;
  /**
   * @param fromSeconds the first second at which the token is accepted
   * @param untilSeconds the first second at which it no longer is
   */
  add(token: string, claims: AccessClaims, fromSeconds: number, untilSeconds: number): void;
}

/**
 * Found by the end of the signature and compared whole, so a token spelled differently is only ever a miss, and a
 * look-up hashes a few characters instead of all: hashing the text would cost more than all else here. Two valid
 * tokens with the same end would displace one another, which is the work of forging a signature. Only tokens that
 * passed every check are added: bad ones cannot displace good ones.
 */
export function createVerifiedTokens(capacity: number): VerifiedTokens {
  const entries = createBoundedMap<Entry>(capacity);
  return {
    get(token, nowSeconds) {
      const key = keyOf(token);
      const entry = entries.get(key);
      if (entry === undefined || entry.token !== token) return undefined;
      if (nowSeconds < entry.untilSeconds && nowSeconds >= entry.fromSeconds) return entry.claims;
      entries.delete(key);
      return undefined;
    },
    add(token, claims, fromSeconds, untilSeconds) {
      entries.set(ownText(keyOf(token)), { token: ownText(token), claims, fromSeconds, untilSeconds });
    },
  };
}

interface Entry {
  token: string;
  claims: AccessClaims;
  fromSeconds: number;
  untilSeconds: number;
}

/** 132 bits of base64url, all of them part of the signature. */
function keyOf(token: string): string {
  return token.slice(-22);
}
