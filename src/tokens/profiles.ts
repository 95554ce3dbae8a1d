import type { Config } from '../config.ts';

export type TokenKind = 'access' | 'refresh';

/** What sets one kind of token apart from the other, besides its key. */
export interface Profile {
  /** The `typ` header (RFC 8725 §3.11). */
  typ: string;
  /** The `aud` claim. */
  audience: string;
  lifetimeSeconds: number;
}

/** Every kind of token in one table: different `typ`, different audience, different key. */
export function tokenProfiles(config: Config): Record<TokenKind, Profile> {
  return {
    access: {
      typ: 'at+jwt', // RFC 9068 §2.1
      audience: config.audience,
      lifetimeSeconds: config.accessTokenTtlSeconds,
    },
    refresh: {
      typ: 'rt+jwt',
      audience: config.publicUrl, // only the issuer itself ever reads one
      lifetimeSeconds: config.refreshTokenIdleSeconds,
    },
  };
}
