import { randomBytes, randomUUID } from 'node:crypto';
import { createSigner } from 'fast-jwt';
import { systemClock } from '../src/base/clock.ts';
import { createKeySet } from '../src/proofs/keys/key-set.ts';
import type { RefreshClaims } from '../src/proofs/tokens/claims.ts';
import { PUBLIC_URL } from './issuer.ts';

const LIFETIME_SECONDS = 604_800;

/** Refresh tokens as idcard would issue them, of a login each, without the password hash that each would need. */
export function issueRefreshTokens(keySet: string, subs: readonly string[]): string[] {
  const sign = createRefreshSigner(keySet);
  const iat = systemClock();
  return subs.map((sub) =>
    sign({
      iss: PUBLIC_URL,
      sub,
      aud: PUBLIC_URL,
      exp: iat + LIFETIME_SECONDS,
      iat,
      jti: randomBytes(16).toString('base64url'),
      auth_time: iat,
      amr: ['pwd'],
      ver: 1,
      sid: randomUUID(),
    }),
  );
}

/** fast-jwt with a prebuilt key. */
export function createRefreshSigner(keySet: string): (claims: RefreshClaims) => string {
  const { kid, material } = createKeySet(keySet, 'ES256', systemClock).signingKey('refresh');
  return createSigner({
    algorithm: 'HS256',
    key: material as Buffer,
    kid,
    header: { alg: 'HS256', typ: 'rt+jwt' },
  });
}
