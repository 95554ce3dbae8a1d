/** How a token travels. The client chooses at login; later tokens leave by the way the earlier ones came. */
export type TransportName = 'bearer' | 'cookie';

/** What travels: two opaque texts and how long each is good for. */
export interface OutgoingTokens {
  accessToken: string;
  accessExpiresInSeconds: number;
  refreshToken: string;
  refreshExpiresInSeconds: number;
  scope: string;
  /** How the access token is to be presented (RFC 6749 §7.1, RFC 9449 §5). */
  tokenType: 'Bearer' | 'DPoP';
  /** At a login alone: what the device keeps beyond it. */
  device?: { token: string; expiresInSeconds: number };
}

export interface ReceivedToken {
  token: string;
  transport: TransportName;
  /** The scheme of the Authorization header; a cookie has none. */
  scheme?: 'Bearer' | 'DPoP';
}
