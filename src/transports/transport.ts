/** How a token travels. The client chooses at login, and later tokens travel as earlier ones did. */
export type TransportName = 'bearer' | 'cookie';

/** The tokens of an answer, as opaque texts, with their lifetimes. */
export interface OutgoingTokens {
  accessToken: string;
  accessExpiresInSeconds: number;
  refreshToken: string;
  refreshExpiresInSeconds: number;
  scope: string;
  /** How a client presents the access token (RFC 6749 §7.1, RFC 9449 §5). */
  tokenType: 'Bearer' | 'DPoP';
  /** The device token, at a login alone. The device keeps it beyond that login. */
  device?: { token: string; expiresInSeconds: number };
}

export interface ReceivedToken {
  token: string;
  transport: TransportName;
  /** The scheme of the Authorization header; a cookie has none. */
  scheme?: 'Bearer' | 'DPoP';
}
