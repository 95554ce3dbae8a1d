import type { Config } from '../config.ts';

/** The kinds of token that a user holds. */
export type TokenKind = 'access' | 'refresh';
/** Whatever is signed here. */
export type SignedKind = TokenKind | 'revocations';

/** What sets one kind apart from the others. */
export interface Profile {
  /** The `typ` header (RFC 8725 §3.11). */
  typ: string;
  /** Which key signs it: the one whose public half is published, or the secret. */
  key: TokenKind;
  /** The `aud` claim. */
  audience: string;
  lifetimeSeconds: number;
}

/** Every kind in one table. The two that users hold differ in type, audience and key. */
export function tokenProfiles(config: Config): Record<SignedKind, Profile> {
  return {
    access: {
      typ: 'at+jwt', // RFC 9068 §2.1
      key: 'access',
      audience: config.audience,
      lifetimeSeconds: config.accessTokenTtlSeconds,
    },
    refresh: {
      typ: 'rt+jwt',
      key: 'refresh',
      audience: config.publicUrl, // only the issuer itself ever reads one
      lifetimeSeconds: config.refreshTokenIdleSeconds,
    },
    revocations: {
      typ: 'revocations+jwt',
      key: 'access',
      audience: config.audience,
      lifetimeSeconds: config.accessTokenTtlSeconds,
    },
  };
}
