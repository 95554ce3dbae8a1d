import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PrivateJwkSet } from '../../src/proofs/keys/key-set.ts';
import { ADA, decode, type TokenBody } from '../support/app.ts';
import { ACCESS_CLAIMS, es256, forge, hmac, keyOf, REFRESH_CLAIMS } from '../support/forge.ts';
import type { ServerProcess } from '../support/process.ts';

export type Kind = 'access' | 'refresh';
type Signer = (input: string) => string;

/** A running server, its user, and everything that one would have to steal to make its tokens. */
export interface Target {
  /** The user's real tokens, each by the transport that it was issued for. */
  real: Record<Kind | `${Kind} cookie`, string>;
  /** The list of revocations, signed with the key that signs access tokens. */
  revocations: string;
  now: () => number;
  kid: (kind: Kind) => string;
  privateKey: KeyObject;
  publicKey: KeyObject;
  secret: Buffer;
  /** The JOSE header of a kind, with some members other than they would be. */
  header: (kind: Kind, other?: object) => object;
  claims: (kind: Kind, other?: object) => object;
  /** The signature that the server itself would make. */
  sign: (kind: Kind) => Signer;
  /** A token that the server itself could have made, with some claims or header members other than it would. */
  token: (kind: Kind, claims?: object, header?: object) => string;
  /** Would be called by a verifier that follows a URL from a token. */
  lureUrl: string;
}

/** Registers a user, logs in both ways, and reads the keys from the server's own folder. */
export async function takeAim({ url, dataDir }: ServerProcess, lureUrl: string): Promise<Target> {
  await post(`${url}/v1/register`, ADA);
  const bearer = (await (await post(`${url}/v1/login`, ADA)).json()) as TokenBody;
  const cookies = (await post(`${url}/v1/login`, { ...ADA, transport: 'cookie' })).headers.getSetCookie();
  const [accessCookie = '', refreshCookie = ''] = cookies.map((cookie) => cookie.split(/[=;]/)[1]);
  const { sub } = decode(bearer.access_token);

  const jwks = PrivateJwkSet.parse(JSON.parse(readFileSync(join(dataDir, 'keys.json'), 'utf8')));
  const [pair, oct] = [keyOf(jwks, 'EC'), keyOf(jwks, 'oct')];
  const privateKey = createPrivateKey({ key: pair, format: 'jwk' });
  const secret = Buffer.from(oct.k, 'base64url');
  const now = () => Math.floor(Date.now() / 1000);
  const kinds = {
    access: {
      header: { alg: 'ES256', typ: 'at+jwt', kid: pair.kid ?? '' },
      claims: () => ({ ...ACCESS_CLAIMS, exp: now() + 300 }),
      sign: es256(privateKey),
    },
    refresh: {
      header: { alg: 'HS256', typ: 'rt+jwt', kid: oct.kid ?? '' },
      claims: () => ({ ...REFRESH_CLAIMS, aud: url, exp: now() + 604_800 }),
      sign: hmac(secret),
    },
  };
  const header = (kind: Kind, other: object = {}) => ({ ...kinds[kind].header, ...other });
  const claims = (kind: Kind, other: object = {}) => ({
    ...kinds[kind].claims(),
    iss: url,
    sub,
    iat: now(),
    auth_time: now(),
    ...other,
  });
  return {
    real: {
      access: bearer.access_token,
      refresh: bearer.refresh_token,
      'access cookie': accessCookie,
      'refresh cookie': refreshCookie,
    },
    revocations: await (await fetch(`${url}/.well-known/revocations`)).text(),
    now,
    kid: (kind) => kinds[kind].header.kid,
    privateKey,
    publicKey: createPublicKey(privateKey),
    secret,
    header,
    claims,
    sign: (kind) => kinds[kind].sign,
    token: (kind, otherClaims, otherHeader) =>
      forge(header(kind, otherHeader), claims(kind, otherClaims), kinds[kind].sign),
    lureUrl,
  };
}

/** A key that the server has never seen. */
export function strangersKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

function post(address: string, body: object): Promise<Response> {
  return fetch(address, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}
