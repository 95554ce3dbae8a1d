import type { Clock } from '../../base/clock.ts';
import { sha256 } from '../../base/digest.ts';
import type { Config } from '../../config/config.ts';
import type { KeySet } from '../keys/key-set.ts';
import type { Jwt } from '../tokens/jwt.ts';
import { tokenProfiles } from '../tokens/profiles.ts';
import type { Revocation, Revocations } from './revocations.ts';

/** The list of revocations for other services. */
export interface RevocationList {
  /** The list as a signed JWT (`typ: revocations+jwt`), and its entity tag (RFC 9110 §8.8.3). */
  current(): { jwt: string; etag: string };
}

/** How long an unchanged list keeps its signature: long enough that polls are cheap, and short enough to show that idcard is alive. */
const SIGN_AGAIN_AFTER_SECONDS = 10;

/** A list with more entries is signed once a second at most: to sign 50,000 entries takes a tenth of a second. */
const SIGNED_AT_ONCE = 1000;

/** Keeps the JWT below 4 MiB, the most that verifiers read, with versions of up to 14 digits. */
const MAX_ENTRIES = 50_000;

type Dependencies = {
  issuer: string;
  settings: Config['tokens'];
  keySet: KeySet;
  jwt: Jwt;
  clock: Clock;
  revocations: Revocations;
  /** How long a revocation is kept after it was made. */
  keepSeconds: number;
};

interface Entry {
  /** The SHA-256 of the subject. */
  name: string;
  ver: number;
  /** The latest `iat` of a token with an older version. */
  issuedUntilSeconds: number;
}

/**
 * `revocations` maps the SHA-256 of a subject (base64url) to the token version below which its tokens are void: readers can look up
 * a user whom they know, but cannot list users. When there are too many, the latest are listed. `not_before` then voids every
 * token that may be as old as those of the others. Users whose tokens were not revoked get new ones by a refresh.
 */
export function createRevocationList(dependencies: Dependencies): RevocationList {
  const { issuer, settings, keySet, jwt, clock, revocations, keepSeconds } = dependencies;
  const { audience, lifetimeSeconds } = tokenProfiles(issuer, settings).revocations;
  const lateSeconds = keepSeconds - settings.accessTokenTtlSeconds;
  const signAgainAfterSeconds = Math.min(SIGN_AGAIN_AFTER_SECONDS, lifetimeSeconds / 2); // before it expires
  let signed: { jwt: string; etag: string; revision: number; atSeconds: number } | undefined;
  let entries = new Map<string, Entry>();

  /** The entry of a revocation. A subject that is in the list already is not hashed again. */
  function readEntry({ sub, ver, raisedAtSeconds }: Revocation, now: number): Entry {
    const known = entries.get(sub);
    if (known?.ver === ver) return known;
    // However late the change was committed: a login after this moment reads the new version.
    const issuedUntilSeconds = Math.min(raisedAtSeconds + lateSeconds, now + settings.clockToleranceSeconds);
    return { name: known?.name ?? sha256(sub), ver, issuedUntilSeconds };
  }

  return {
    current() {
      const now = clock();
      const { revision, size } = revocations;
      const isChanged = signed?.revision !== revision;
      const restSeconds = size > SIGNED_AT_ONCE ? 1 : 0;
      const keptSeconds = isChanged ? restSeconds : signAgainAfterSeconds;
      // The distance, not the age: after a clock was ahead, the list is from the future, and no verifier accepts it.
      if (signed && Math.abs(now - signed.atSeconds) < keptSeconds) return signed;
      entries = new Map([...revocations.list()].map((each) => [each.sub, readEntry(each, now)]));
      const token = jwt.sign(keySet.signingKey('access'), 'revocations', {
        iss: issuer,
        aud: audience,
        iat: now,
        exp: now + lifetimeSeconds,
        access_token_ttl: settings.accessTokenTtlSeconds,
        ...latest([...entries.values()], now + settings.clockToleranceSeconds),
      });
      const etag = `"${sha256(token)}"`;
      signed = { jwt: token, etag, revision, atSeconds: now };
      return signed;
    },
  };
}

/** The claims, with as many entries as fit. Void tokens of users who are left out were issued up to `not_before`. */
function latest(
  entries: Entry[],
  latestIssueSeconds: number,
): { revocations: Record<string, number>; not_before?: number } {
  const revocations = (listed: Entry[]) => Object.fromEntries(listed.map(({ name, ver }) => [name, ver]));
  if (entries.length <= MAX_ENTRIES) return { revocations: revocations(entries) };
  const times = Float64Array.from(entries, ({ issuedUntilSeconds }) => issuedUntilSeconds).sort();
  const lastLeftOut = times[entries.length - MAX_ENTRIES - 1] as number;
  return {
    not_before: Math.min(lastLeftOut, latestIssueSeconds), // the clock may have been ahead
    revocations: revocations(entries.filter(({ issuedUntilSeconds }) => issuedUntilSeconds > lastLeftOut)),
  };
}
