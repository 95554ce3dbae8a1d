import { sendWith } from './bearer.ts';
import { indexedDbStorage } from './indexed-db.ts';
import { platform } from './platform.ts';
import { type KeyStorage, memoryStorage } from './storage.ts';
import type { Credentials, ProofKey, Transport } from './transport.ts';

/**
 * Tokens that are worthless without a key (RFC 9449). Each login has a key of its own, which cannot be extracted.
 * @param storage by default IndexedDB, or memory where there is no IndexedDB
 */
export function dpop(
  storage: KeyStorage = platform.indexedDB ? indexedDbStorage() : memoryStorage(),
): Transport {
  if (!storage.keepsKeys)
    throw new TypeError('This storage cannot keep a key: choose another one for dpop().');
  /** The nonce that each origin wants in the next proof (RFC 9449 §8.2). */
  const nonces = new Map<string, string>();

  return {
    name: 'bearer',
    storage,
    begin: async () => ({ key: await createKey() }),
    async send(fetch, request, credentials) {
      const origin = request.url.split('/', 3).join('/');
      const attempt = async () => {
        const headers = await prove(request, credentials, nonces.get(origin));
        const response = await sendWith(fetch, request, headers);
        const nonce = response.headers.get('dpop-nonce');
        if (nonce) nonces.set(origin, nonce);
        return response;
      };
      const response = await attempt();
      return (await wantsNonce(response)) ? attempt() : response;
    },
    isRenewable: (errorCode) => errorCode === 'invalid_token',
  };
}

async function createKey(): Promise<ProofKey> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const { privateKey, publicKey } = await crypto.subtle.generateKey(algorithm, false, ['sign']);
  const { kty = '', crv = '', x = '', y = '' } = await crypto.subtle.exportKey('jwk', publicKey);
  return { privateKey, jwk: { kty, crv, x, y } };
}

/** The headers that prove possession of the key (RFC 9449 §4.2 and §7.1). */
async function prove(
  { method, url }: Request,
  { key, tokens }: Credentials,
  nonce: string | undefined,
): Promise<Record<string, string>> {
  if (!key) return {};
  const token = tokens?.access_token;
  const input = [
    { typ: 'dpop+jwt', alg: 'ES256', jwk: key.jwk },
    {
      jti: base64url(crypto.getRandomValues(new Uint8Array(16))),
      htm: method,
      htu: url.split(/[?#]/)[0],
      iat: Math.floor(Date.now() / 1000),
      ...(token && { ath: base64url(await crypto.subtle.digest('SHA-256', encode(token))) }),
      ...(nonce && { nonce }),
    },
  ]
    .map((part) => base64url(encode(JSON.stringify(part))))
    .join('.');
  const algorithm = { name: 'ECDSA', hash: 'SHA-256' };
  const signature = await crypto.subtle.sign(algorithm, key.privateKey, encode(input));
  return { dpop: `${input}.${base64url(signature)}`, ...(token && { authorization: `DPoP ${token}` }) };
}

/** Whether the server asks for a nonce: in a challenge where tokens are used (RFC 9449 §9), else in the body (§8). */
async function wantsNonce(response: Response): Promise<boolean> {
  const { status, headers } = response;
  if (!headers.has('dpop-nonce') || (status !== 400 && status !== 401)) return false;
  const said = headers.get('www-authenticate') ?? (await response.clone().text());
  return said.includes('use_dpop_nonce');
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function base64url(bytes: ArrayBuffer | Uint8Array): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
