import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import { sha256 } from './dpop-proof.ts';
import type { Jwt } from './jwt.ts';
import type { KeySet } from './key-set.ts';
import { tokenProfiles } from './profiles.ts';
import type { Revocations } from './revocations.ts';

/** The list of revocations as other services get it. */
export interface RevocationList {
  /** A signed JWT (`typ: revocations+jwt`), and its entity tag (RFC 9110 §8.8.3). */
  current(): { jwt: string; etag: string };
}

/** How long an unchanged list keeps its signature at most, so that asking often is cheap and a verifier sees it is alive. */
const SIGN_AGAIN_AFTER_SECONDS = 30;

type Dependencies = {
  config: Config;
  keySet: KeySet;
  jwt: Jwt;
  clock: Clock;
  revocations: Revocations;
};

/**
 * `revocations` maps the SHA-256 of a subject (base64url) to the token version below which its tokens are void:
 * whoever reads the list can look users up, and cannot list them.
 */
export function createRevocationList({
  config,
  keySet,
  jwt,
  clock,
  revocations,
}: Dependencies): RevocationList {
  const { audience, lifetimeSeconds } = tokenProfiles(config).revocations;
  const signAgainAfterSeconds = Math.min(SIGN_AGAIN_AFTER_SECONDS, lifetimeSeconds / 2); // before it expires
  let signed: { jwt: string; etag: string; revision: number; atSeconds: number } | undefined;

  return {
    current() {
      const now = clock();
      const isUnchanged = signed?.revision === revocations.revision;
      // By the distance: a list that was signed by a clock that was ahead is from the future, and nobody takes it.
      if (signed && isUnchanged && Math.abs(now - signed.atSeconds) < signAgainAfterSeconds) return signed;
      const token = jwt.sign(keySet.signingKey('access'), 'revocations', {
        iss: config.publicUrl,
        aud: audience,
        iat: now,
        exp: now + lifetimeSeconds,
        access_token_ttl: config.accessTokenTtlSeconds,
        revocations: Object.fromEntries([...revocations.list()].map(({ sub, ver }) => [sha256(sub), ver])),
      });
      const etag = `"${sha256(token)}"`;
      signed = { jwt: token, etag, revision: revocations.revision, atSeconds: now };
      return signed;
    },
  };
}
