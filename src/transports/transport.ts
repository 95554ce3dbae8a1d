/** How a token travels. The client chooses at login; later tokens leave by the way the earlier ones came. */
export type TransportName = 'bearer' | 'cookie';

/** What travels: two opaque texts and how long each is good for. */
export interface OutgoingTokens {
  accessToken: string;
  accessExpiresInSeconds: number;
  refreshToken: string;
  refreshExpiresInSeconds: number;
  scope: string;
}

export interface ReceivedToken {
  token: string;
  transport: TransportName;
}
