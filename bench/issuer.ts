import {
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  randomBytes,
  randomUUID,
  sign,
} from 'node:crypto';
import { generateKeySet } from '../src/proofs/keys/key-rotation.ts';
import type { AccessClaims } from '../src/proofs/tokens/claims.ts';

/** Who the servers under measurement believe to be. */
export const PUBLIC_URL = 'http://localhost:3000';
export const AUDIENCE = 'api';
export const TOKEN_TTL_SECONDS = 86_400;

/** One user with one access token. */
export interface Client {
  claims: AccessClaims;
  token: string;
}

export interface Issuer {
  /** The private JWK Set, for `KEY_SET`. */
  keySet: string;
  /** SPKI, for those who verify and cannot sign. */
  publicKeyPem: string;
  /** Clients with a user each. */
  issue(count: number, extra?: Partial<AccessClaims>): Client[];
}

/** Access tokens by the hundred thousand, as idcard would issue them (RFC 9068), without asking it for each. */
export function createIssuer(): Issuer {
  const keySet = generateKeySet({ algorithm: 'ES256' }, 0);
  const jwk = keySet.keys.find(({ alg }) => alg === 'ES256');
  if (!jwk) throw new Error('No key for access tokens.');
  const privateKey = createPrivateKey({ key: { ...jwk }, format: 'jwk' });
  const issuedAt = Math.floor(Date.now() / 1000);
  const { kid } = jwk;

  function issueOne(extra: Partial<AccessClaims>): Client {
    const claims: AccessClaims = {
      iss: PUBLIC_URL,
      sub: randomUUID(),
      aud: AUDIENCE,
      exp: issuedAt + TOKEN_TTL_SECONDS,
      iat: issuedAt,
      jti: randomBytes(16).toString('base64url'),
      auth_time: issuedAt,
      amr: ['pwd'],
      ver: 1,
      client_id: 'idcard',
      scope: 'account',
      roles: ['admin'],
      ...extra,
    };
    return { claims, token: signJws({ alg: 'ES256', typ: 'at+jwt', kid }, claims, privateKey) };
  }

  return {
    keySet: JSON.stringify(keySet),
    publicKeyPem: createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString(),
    issue: (count, extra = {}) => Array.from({ length: count }, () => issueOne(extra)),
  };
}

/** A JWS in compact serialization (RFC 7515 §7.1), ES256. */
export function signJws(header: object, payload: object, key: KeyObject): string {
  const input = `${encode(header)}.${encode(payload)}`;
  const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
