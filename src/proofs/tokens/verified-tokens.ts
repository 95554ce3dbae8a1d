import { createBoundedMap, ownText } from '../../base/bounded-map.ts';
import type { AccessClaims } from './claims.ts';

/** Remembers access tokens whose signature and claims were checked, for the seconds in which they are valid. */
export interface VerifiedTokens {
  /** The claims of a remembered token; undefined when the token has expired, or is not valid yet on a clock that was set back. */
  get(token: string, nowSeconds: number): AccessClaims | undefined;
  /**
   * @param fromSeconds the first second at which the token is accepted
   * @param untilSeconds the first second at which it no longer is
   */
  add(token: string, claims: AccessClaims, fromSeconds: number, untilSeconds: number): void;
  readonly size: number;
}

/**
 * A token is found by the end of its signature, then compared as a whole. So a look-up hashes a few characters: to hash the whole
 * text would cost more than everything else here. A token in another spelling is a miss, and no more. To displace a token by one
 * with the same end is as hard as to forge a signature. Only tokens that passed every check are added, so that bad ones cannot
 * displace good ones.
 *
 * A full memory forgets the oldest token that was not used since the eviction last passed it over ("clock", or second chance).
 * A flood of valid tokens that are used once displaces only tokens of the flood. A flood of tokens in steady use costs others one
 * signature check at a time, and costs the attacker as many.
 */
export function createVerifiedTokens(capacity: number): VerifiedTokens {
  const entries = new Map<string, Entry>();
  const headers = createBoundedMap<string>(KNOWN_HEADERS);
  const oldest = entries.entries();

  function makeRoom(): void {
    for (let chances = MAX_CHANCES; entries.size >= capacity; ) {
      // There is a next one: entries that the iterator passed were deleted, or added again at the end.
      const [key, entry] = oldest.next().value as [string, Entry];
      entries.delete(key);
      if (!entry.used || chances-- === 0) continue;
      entry.used = false;
      entries.set(key, entry); // added again at the end
    }
  }

  /** All tokens of a key have the same header, a fifth of their text. It is held once. */
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
  /** Whether the token was used since it was added or passed over. */
  used: boolean;
}

/** More keys than are ever in use at once. */
const KNOWN_HEADERS = 100;

/** How many entries one new token may pass over, so that no request waits for a look at all of them. */
const MAX_CHANCES = 100;

function isTextOf({ header, rest }: Entry, token: string): boolean {
  return token.length === header.length + rest.length && token.startsWith(header) && token.endsWith(rest);
}

/** The last 132 bits of the signature, in base64url. */
function keyOf(token: string): string {
  return token.slice(-22);
}
