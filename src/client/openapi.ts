/* Written by "npm run openapi" from openapi.yaml. */

export interface Registration {
  email: string;
  password: string;
}
export interface Login {
  email: string;
  password: string;
  /**
   * Where the tokens go; "bearer" when absent.
   */
  transport?: 'bearer' | 'cookie';
  /**
   * What the last login by this email gave as device_token; with transport "cookie" its cookie instead. One that is not good counts as none.
   */
  device_token?: string;
}
export interface Refresh {
  refresh_token?: string;
}
export interface PasswordChange {
  current_password: string;
  new_password: string;
}
export interface User {
  id: string;
  email: string;
  email_verified: boolean;
  roles: string[];
  created_at: string;
}
/**
 * Problem details (RFC 9457).
 */
export interface Problem {
  /**
   * Names the kind of problem; stable.
   */
  type: string;
  title: string;
  status: number;
  detail: string;
  /**
   * The OAuth error code, for clients that look for one (RFC 6749 §5.2).
   */
  error?: string;
  errors?: FieldError[];
}
export interface FieldError {
  /**
   * JSON Pointer to the field, as a URI fragment.
   */
  pointer: string;
  /**
   * What is wrong, for programs; stable. There may be more of them one day.
   */
  code: string;
  /**
   * What is wrong, for people.
   */
  detail: string;
}
/**
 * RFC 6749 §5.1
 */
export interface TokenResponse {
  access_token: string;
  token_type: 'Bearer' | 'DPoP';
  /**
   * Seconds until the access token expires.
   */
  expires_in: number;
  refresh_token: string;
  /**
   * Seconds until the refresh token expires.
   */
  refresh_expires_in: number;
  scope: string;
  /**
   * At a login alone. Keep it beyond the logout, and send it with the next login by the same email: then guesses of strangers at the account do not slow that login down. It logs nobody in.
   */
  device_token?: string;
}
export interface JwkSet {
  keys: Jwk[];
}
export interface Jwk {
  kty: 'EC' | 'OKP' | 'RSA';
  kid: string;
  alg: 'ES256' | 'EdDSA' | 'RS256';
  use: 'sig';
  crv?: string;
  x?: string;
  y?: string;
  n?: string;
  e?: string;
}
/**
 * RFC 8414 §2
 */
export interface ServerMetadata {
  issuer: string;
  jwks_uri: string;
  response_types_supported: string[];
  grant_types_supported: string[];
}
/**
 * OpenID Connect Discovery 1.0 §3, as far as it is true
 */
export interface OpenidConfiguration {
  issuer: string;
  jwks_uri: string;
  response_types_supported: string[];
  grant_types_supported: string[];
  subject_types_supported: string[];
  id_token_signing_alg_values_supported: string[];
}
export interface TheftBudget {
  budget: TheftBudgetEntry[];
}
export interface TheftBudgetEntry {
  stolen: 'access_token' | 'refresh_token' | 'device_token';
  situation: 'unnoticed_unused' | 'unnoticed_used' | 'revoked' | 'revoked_directory_away' | 'bound';
  seconds: number;
}
export interface Liveness {
  status: 'ok';
}
export interface Readiness {
  status: 'ok' | 'degraded';
  /**
   * How long a revoked access token may still work here.
   */
  revocation_bound_seconds: number;
  /**
   * Seconds since the directory last answered.
   */
  revocations_age_seconds: number;
}
/**
 * RFC 9068 §2.2
 */
export interface AccessClaims {
  iss: string;
  sub: string;
  aud: string;
  exp: number;
  iat: number;
  nbf?: number;
  jti: string;
  auth_time: number;
  amr: string[];
  ver: number;
  cnf?: Confirmation;
  client_id: string;
  scope: string;
  roles: string[];
  email?: string;
}
export interface Confirmation {
  jkt: string;
}
/**
 * Names the kind of a problem; stable. It is the end of the problem's `type`.
 */
export type ProblemSlug =
  | 'cookies-need-https'
  | 'cross-site-request'
  | 'email-taken'
  | 'headers-too-large'
  | 'insufficient-scope'
  | 'internal-error'
  | 'invalid-credentials'
  | 'invalid-dpop-proof'
  | 'invalid-request'
  | 'invalid-token'
  | 'issuer-unavailable'
  | 'login-required'
  | 'method-not-allowed'
  | 'not-found'
  | 'overloaded'
  | 'payload-too-large'
  | 'recent-login-required'
  | 'refresh-token-required'
  | 'registration-closed'
  | 'request-timeout'
  | 'role-required'
  | 'several-credentials'
  | 'too-many-requests'
  | 'unavailable'
  | 'unsupported-media-type'
  | 'uri-too-long'
  | 'use-dpop-nonce'
  | 'weak-password'
  | 'wrong-password';
