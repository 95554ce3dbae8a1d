import { generateKeyPairSync, type JsonWebKey, type KeyObject, randomUUID, sign } from 'node:crypto';
import type { LightMyRequestResponse } from 'fastify';
import { expect } from 'vitest';
import { sha256 } from '../../src/base/digest.ts';
import { ADA, START, type TestApp, type TokenBody } from './app.ts';
import { base64url, es256, forge } from './forge.ts';

/** A client's key: the private half, and the public one as a proof carries it. */
export interface ProofKey {
  alg: 'ES256' | 'EdDSA' | 'Ed25519';
  privateKey: KeyObject;
  jwk: JsonWebKey;
  /** The thumbprint (RFC 7638), computed here by hand. */
  jkt: string;
}

/** Where the test app believes to be. */
export const ORIGIN = 'http://localhost:3000';

export function createProofKey(alg: ProofKey['alg'] = 'ES256'): ProofKey {
  const { privateKey, publicKey } =
    alg === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
  const jwk = publicKey.export({ format: 'jwk' });
  const { crv, kty, x, y } = jwk;
  return { alg, privateKey, jwk, jkt: sha256(JSON.stringify({ crv, kty, x, y })) };
}

/** Signs as the key's algorithm says. */
export function signer({ alg, privateKey }: ProofKey): (input: string) => string {
  if (alg === 'ES256') return es256(privateKey);
  return (input) => base64url(sign(null, Buffer.from(input), privateKey));
}

/** A proof by a key; claims and header members may be replaced, and left out with `undefined`. */
export function forgeProof(key: ProofKey, claims: object, header: object = {}, by = signer(key)): string {
  return forge(
    { typ: 'dpop+jwt', alg: key.alg, jwk: key.jwk, ...header },
    { jti: randomUUID(), iat: START, ...claims },
    by,
  );
}

/** The claims of a proof for a request to the test app. */
export function proofClaims(htm: string, path: string, nonce: string, accessToken?: string) {
  const ath = accessToken === undefined ? {} : { ath: sha256(accessToken) };
  return { htm, htu: ORIGIN + path, nonce, ...ath };
}

/** The nonce that the app would like to see, as a client learns it: by a proof without one. */
export async function fetchNonce({ app }: TestApp): Promise<string> {
  const response = await app.inject({
    method: 'POST',
    url: '/v1/login',
    headers: { dpop: forgeProof(createProofKey(), { htm: 'POST', htu: `${ORIGIN}/v1/login` }) },
    body: ADA,
  });
  return String(response.headers['dpop-nonce']);
}

/** Logs in with a proof. */
export async function logInBound(idcard: TestApp, key: ProofKey, user = ADA): Promise<TokenBody> {
  const dpop = forgeProof(key, proofClaims('POST', '/v1/login', await fetchNonce(idcard)));
  const response = await idcard.app.inject({
    method: 'POST',
    url: '/v1/login',
    headers: { dpop },
    body: { email: user.email, password: user.password },
  });
  if (response.statusCode !== 200) throw new Error(`login answered ${response.statusCode}: ${response.body}`);
  return response.json();
}

/** The same by cookie; the Cookie header that a browser would send from now on. */
export async function logInBoundWithCookies(idcard: TestApp, key: ProofKey): Promise<string> {
  const dpop = forgeProof(key, proofClaims('POST', '/v1/login', await fetchNonce(idcard)));
  const body = { ...ADA, transport: 'cookie' };
  const response = await idcard.app.inject({ method: 'POST', url: '/v1/login', headers: { dpop }, body });
  if (response.statusCode !== 204) throw new Error(`login answered ${response.statusCode}: ${response.body}`);
  return response.cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
}

/**
 * A refusal without anything of value. With a scheme both are offered, and the error stands with that one (RFC 9449
 * §7.2); without, the error stands in the body alone (RFC 9449 §5).
 */
export function expectRefusal(
  response: LightMyRequestResponse,
  status: number,
  error: string,
  scheme?: 'Bearer' | 'DPoP',
): void {
  const described = `error="${error}", error_description="[^"\\\\]+"`;
  const challenges = {
    DPoP: `DPoP realm="idcard", algs="[^"]+", ${described}, Bearer realm="idcard"`,
    Bearer: `Bearer realm="idcard", ${described}, DPoP realm="idcard", algs="[^"]+"`,
  };
  expect(response.statusCode).toBe(status);
  if (scheme) expect(response.headers['www-authenticate']).toMatch(new RegExp(`^${challenges[scheme]}$`));
  else expect(response.headers['www-authenticate']).toBeUndefined();
  expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
  expect(response.cookies).toEqual([]);
  if (response.body === '') return; // a HEAD
  const body = response.json();
  expect(body.type).toBe(`urn:idcard:problem:${error.replaceAll('_', '-')}`);
  if (error.includes('dpop')) expect(body.error).toBe(error);
  expect(body).not.toHaveProperty('access_token');
}
