import { createBoundedMap, ownText } from '../../base/bounded-map.ts';
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
  readonly size: number;
}

/**
 * Found by the end of the signature and compared whole, so a token spelled differently is only ever a miss, and a
 * look-up hashes a few characters instead of all: hashing the text would cost more than all else here. Two valid
 * tokens with the same end would displace one another, which is the work of forging a signature. Only tokens that
 * passed every check are added: bad ones cannot displace good ones.
 *
 * Full, it forgets the oldest that was not used since it was last passed over ("clock", or second chance): a flood of
 * valid tokens that are used once displaces its own. Whoever floods it with tokens in steady use costs others one
 * signature check at a time, and themselves as many.
 */
export function createVerifiedTokens(capacity: number): VerifiedTokens {
  const entries = new Map<string, Entry>();
  const headers = createBoundedMap<string>(KNOWN_HEADERS);
  const oldest = entries.entries();

  function makeRoom(): void {
    for (let chances = MAX_CHANCES; entries.size >= capacity; ) {
      // There is a next one: what it has passed is gone, or behind all others.
      const [key, entry] = oldest.next().value as [string, Entry];
      entries.delete(key);
      if (!entry.used || chances-- === 0) continue;
      entry.used = false;
      entries.set(key, entry); // behind all others
    }
  }

  /** All tokens of a key have the same: a fifth of their text, held once. */
  function heldOnce(header: string): string {
    const known = headers.get(header) ?? ownText(header);
    headers.set(known, known);
    return known;
  }

  return {
    get(token, nowSeconds) {
      const key = keyOf(token);
      const entry = entries.get(key);
      if (entry === undefined || !isTextOf(entry, token)) return undefined;
      if (nowSeconds < entry.untilSeconds && nowSeconds >= entry.fromSeconds) {
        if (!entry.used) entry.used = true;
        return entry.claims;
      }
      entries.delete(key);
      return undefined;
    },
    add(token, claims, fromSeconds, untilSeconds) {
      makeRoom();
      const dot = token.indexOf('.');
      const texts = { header: heldOnce(token.slice(0, dot)), rest: ownText(token.slice(dot)) };
      const entry = { ...texts, claims, fromSeconds, untilSeconds, used: false };
      entries.set(ownText(keyOf(token)), entry);
    },
    get size() {
      return entries.size;
    },
  };
}

interface Entry {
  /** The two parts of the token's text. */
  header: string;
  rest: string;
  claims: AccessClaims;
  fromSeconds: number;
  untilSeconds: number;
  /** Whether it was asked for since it was added or passed over. */
  used: boolean;
}

/** More than keys are ever in use at once. */
const KNOWN_HEADERS = 100;

/** How many one new token may pass over, so that none waits while all are looked at. */
const MAX_CHANCES = 100;

function isTextOf({ header, rest }: Entry, token: string): boolean {
  return token.length === header.length + rest.length && token.startsWith(header) && token.endsWith(rest);
}

/** 132 bits of base64url, all of them part of the signature. */
function keyOf(token: string): string {
  return token.slice(-22);
}
