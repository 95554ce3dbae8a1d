import type { TokenResponse } from './openapi.ts';
import type { LoginStorage } from './storage.ts';

/** What is kept of a login. With cookies there is no token in it: those are the browser's. */
export interface StoredLogin {
  /** Of this login, from its start to its end; empty when it has ended and only the device token is left. */
  id: string;
  /** Another one after each renewal. */
  edition: string;
  tokens?: ReceivedTokens | undefined;
  key?: ProofKey | undefined;
  /** Sent with the next login by the same email: it keeps guesses of strangers from slowing that down. */
  device?: string | undefined;
}

type ReceivedTokens = TokenResponse & {
  /** By the device's own clock, which may be wrong: only the time since then counts. */
  receivedAtMs: number;
};

/** The key that tokens are bound to (RFC 9449). */
export interface ProofKey {
  /** Not extractable: it can be used and kept here, and not carried away. */
  privateKey: Parameters<typeof crypto.subtle.sign>[1];
  /** The `jwk` of a proof's header. */
  jwk: { kty: string; crv: string; x: string; y: string };
}

/** What a request can be sent with: nothing before a login, and no access token when it is renewed. */
export type Credentials = Partial<Pick<StoredLogin, 'tokens' | 'key'>>;

/** How the proof of a login travels. */
export interface Transport {
  /** What is asked for at login. */
  name: 'bearer' | 'cookie';
  storage: LoginStorage;
  /** What a new login begins with. */
  begin(): Promise<Credentials>;
  send(fetch: Fetch, request: Request, credentials: Credentials): Promise<Response>;
  /** Whether a 401 may be one that a renewal helps against, by the error code of its challenge (RFC 6750 §3.1). */
  isRenewable(errorCode: string | undefined): boolean;
}

export type Fetch = (request: Request) => Promise<Response>;
