import type { TokenResponse } from './openapi.ts';
import type { LoginStorage } from './storage.ts';

/** A stored login. With cookies it has no token: the browser keeps the cookies. */
export interface StoredLogin {
  /** The id of a login, from its start to its end. It is empty after the end, when only the device token is left. */
  id: string;
  /** The id of a renewal: each one changes it. */
  edition: string;
  tokens?: ReceivedTokens | undefined;
  key?: ProofKey | undefined;
  /** The device token, for the next login by the same email: attempts of strangers do not slow that login down. */
  device?: string | undefined;
}

type ReceivedTokens = TokenResponse & {
  /** By the clock of the device, which may be wrong: only the time since then counts. */
  receivedAtMs: number;
};

/** The key that tokens are bound to (RFC 9449). */
export interface ProofKey {
  /** Not extractable: a script can use it here, but cannot carry it away. */
  privateKey: Parameters<typeof crypto.subtle.sign>[1];
  /** The `jwk` of a proof's header. */
  jwk: { kty: string; crv: string; x: string; y: string };
}

/** The credentials of a request: none before a login, and no access token for a renewal. */
export type Credentials = Partial<Pick<StoredLogin, 'tokens' | 'key'>>;

/** How the proof of a login travels. */
export interface Transport {
  /** The `transport` in the body of a login. */
  name: 'bearer' | 'cookie';
  storage: LoginStorage;
  /** Makes the credentials with which a new login begins. */
  begin(): Promise<Credentials>;
  send(fetch: Fetch, request: Request, credentials: Credentials): Promise<Response>;
  /** Whether a renewal may help against a 401, by the error code of its challenge (RFC 6750 §3.1). */
  isRenewable(errorCode: string | undefined): boolean;
}

export type Fetch = (request: Request) => Promise<Response>;
