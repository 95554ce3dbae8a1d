import { createHmac, createPrivateKey, type KeyObject, sign } from 'node:crypto';
import type { PrivateJwk } from '../../src/proofs/keys/jwk.ts';
import type { PrivateJwkSet } from '../../src/proofs/keys/key-set.ts';
import { START } from './app.ts';

/** Claims that a real access token of the test app would have. */
export const ACCESS_CLAIMS = {
  iss: 'http://localhost:3000',
  sub: '019a5b3c-7e1d-7c44-9f0a-3b2c1d0e9f8a',
  aud: 'api',
  exp: START + 300,
  iat: START,
  jti: 'forged-but-well-formed',
  auth_time: START,
  amr: ['pwd'],
  ver: 1,
  client_id: 'idcard',
  scope: 'account',
  roles: ['admin'],
};

export const REFRESH_CLAIMS = {
  iss: 'http://localhost:3000',
  sub: ACCESS_CLAIMS.sub,
  aud: 'http://localhost:3000',
  exp: START + 604_800,
  iat: START,
  jti: 'forged-but-well-formed',
  auth_time: START,
  amr: ['pwd'],
  ver: 1,
  sid: 'a-login',
};

type Signer = (input: string) => string;

export function base64url(value: unknown): string {
  const text = typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value);
  return Buffer.from(text).toString('base64url');
}

/** A compact JWS of whatever is given, signed as told. */
export function forge(header: unknown, payload: unknown, signer: Signer): string {
  const input = `${base64url(header)}.${base64url(payload)}`;
  return `${input}.${signer(input)}`;
}

export const unsigned: Signer = () => '';

export function es256(key: KeyObject): Signer {
  return (input) =>
    sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
}

export function hmac(secret: Buffer | string, hash = 'sha256'): Signer {
  return (input) => createHmac(hash, secret).update(input).digest('base64url');
}

/** The key of a set that signs access tokens (`EC`, …) or refresh tokens (`oct`). */
export function keyOf<K extends PrivateJwk['kty']>(
  set: PrivateJwkSet,
  kty: K,
): Extract<PrivateJwk, { kty: K }> {
  const key = set.keys.find((candidate) => candidate.kty === kty);
  if (!key) throw new Error(`no ${kty} key`);
  return key as Extract<PrivateJwk, { kty: K }>;
}

/** A token that the app itself could have made, with some claims or header members other than it would. */
export function forgeAccess(jwks: PrivateJwkSet, claims: object = {}, header: object = {}): string {
  const key = keyOf(jwks, 'EC');
  return forge(
    { alg: 'ES256', typ: 'at+jwt', kid: key.kid, ...header },
    { ...ACCESS_CLAIMS, ...claims },
    es256(createPrivateKey({ key, format: 'jwk' })),
  );
}

export function forgeRefresh(jwks: PrivateJwkSet, claims: object = {}, header: object = {}): string {
  const key = keyOf(jwks, 'oct');
  return forge(
    { alg: 'HS256', typ: 'rt+jwt', kid: key.kid, ...header },
    { ...REFRESH_CLAIMS, ...claims },
    hmac(Buffer.from(key.k, 'base64url')),
  );
}

/** The order of P-256. */
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** The same JWS with its other ES256 signature: (r, n − s) instead of (r, s). */
export function respell(jws: string): string {
  const start = jws.lastIndexOf('.') + 1;
  const signature = Buffer.from(jws.slice(start), 'base64url').toString('hex');
  const s = P256_ORDER - BigInt(`0x${signature.slice(64)}`);
  const other = signature.slice(0, 64) + s.toString(16).padStart(64, '0');
  return jws.slice(0, start) + Buffer.from(other, 'hex').toString('base64url');
}

/** Whether the ES256 signature of a JWS is the one with the lower s. */
export function hasLowS(jws: string): boolean {
  const signature = Buffer.from(jws.slice(jws.lastIndexOf('.') + 1), 'base64url').toString('hex');
  return BigInt(`0x${signature.slice(64)}`) <= P256_ORDER / 2n;
}
