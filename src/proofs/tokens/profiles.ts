import { revocationsAudience } from '../../base/issuer.ts';
import type { Config } from '../../config/config.ts';
import type { TokenKind } from '../keys/key-set.ts';

/** The kinds of JWT that idcard signs. */
export type SignedKind = TokenKind | 'revocations';

/** What every reader knows about a kind. */
interface Kind {
  /** The `typ` header (RFC 8725 §3.11). */
  typ: string;
  /** Which key signs it: the asymmetric one, whose public half is published, or the secret. */
  key: TokenKind;
}

export const SIGNED_KINDS: Readonly<Record<SignedKind, Kind>> = {
  access: { typ: 'at+jwt', key: 'access' }, // RFC 9068 §2.1
  refresh: { typ: 'rt+jwt', key: 'refresh' },
  revocations: { typ: 'revocations+jwt', key: 'access' },
};

/** A kind, with the settings of this server. */
export interface Profile extends Kind {
  /** The `aud` claim. */
  audience: string;
  lifetimeSeconds: number;
}

/** Every kind in one table. `readConfig` makes sure that no two have the same audience. */
export function tokenProfiles(issuer: string, settings: Config['tokens']): Record<SignedKind, Profile> {
  return {
    access: {
      ...SIGNED_KINDS.access,
      audience: settings.audience,
      lifetimeSeconds: settings.accessTokenTtlSeconds,
    },
    refresh: {
      ...SIGNED_KINDS.refresh,
      audience: issuer, // only the issuer itself reads a refresh token
      lifetimeSeconds: settings.refreshTokenIdleSeconds,
    },
    revocations: {
      ...SIGNED_KINDS.revocations,
      audience: revocationsAudience(issuer),
      lifetimeSeconds: settings.accessTokenTtlSeconds,
    },
  };
}
