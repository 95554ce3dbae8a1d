import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto';
import { type Client, type Issuer, PUBLIC_URL, signJws } from './issuer.ts';
import type { Credential } from './servers/peer.ts';

/** A client of RFC 9449, with a key of its own and a token that is bound to it. */
export interface Prover extends Client {
  publicKeyPem: string;
  /** What it sends with one `GET /v1/verify`, and with no other. */
  present(nonce?: string): Credential;
}

export function createProver(issuer: Issuer): Prover {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { crv, kty, x, y } = publicKey.export({ format: 'jwk' });
  const jwk = { crv, kty, x, y };
  const [client] = issuer.issue(1, { cnf: { jkt: sha256(JSON.stringify(jwk)) } });
  if (!client) throw new Error('No token.');
  const ath = sha256(client.token);
  return {
    ...client,
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    present(nonce) {
      const iat = Math.floor(Date.now() / 1000);
      const claims = { jti: randomUUID(), htm: 'GET', htu: `${PUBLIC_URL}/v1/verify`, iat, nonce, ath };
      const dpop = signJws({ typ: 'dpop+jwt', alg: 'ES256', jwk }, claims, privateKey);
      return { authorization: `DPoP ${client.token}`, dpop };
    },
  };
}

/** What proofs must carry for the next minute: RFC 9449 §9. */
export async function fetchNonce(address: string, [prover]: readonly Prover[]): Promise<string> {
  const response = await fetch(`${address}/v1/verify`, { headers: prover?.present() ?? {} });
  const nonce = response.headers.get('dpop-nonce');
  if (nonce === null) throw new Error(`No nonce: ${response.status} ${await response.text()}`);
  return nonce;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
