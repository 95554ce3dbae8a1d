import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { StartupError } from '../../base/startup-error.ts';
import { type PrivateJwk, requiredMembers, thumbprint } from './jwk.ts';
import { isLeakedKey, isReadableText } from './leaked-keys.ts';

const MIN_SECRET_BYTES = 32;
const MIN_RSA_BITS = 3072;
/** 32 random bytes have about 30 different values. */
const MIN_DISTINCT_BYTES = 8;

/** PEM texts or raw bytes, since @fastify/jwt takes nothing else. */
export type KeyMaterial = { private: string; public: string } | Buffer;

/**
 * Imports a key and refuses one that is weak, malformed, known to the public, or whose halves do not match.
 * @throws StartupError
 */
export function importKey(jwk: PrivateJwk): KeyMaterial {
  const kid = thumbprint(jwk);
  if (jwk.kid !== undefined && jwk.kid !== kid)
    throw refusal(jwk, 'has a kid other than its RFC 7638 thumbprint');
  if (isLeakedKey(kid)) throw refusal(jwk, 'is printed in a public document');
  return jwk.kty === 'oct' ? importSecret(jwk) : importKeyPair(jwk);
}

function importSecret(jwk: Extract<PrivateJwk, { kty: 'oct' }>): Buffer {
  const secret = Buffer.from(jwk.k, 'base64url');
  if (secret.length < MIN_SECRET_BYTES) throw refusal(jwk, `is shorter than ${MIN_SECRET_BYTES} bytes`);
  if (isReadableText(secret) || /^[0-9a-f-]+$/i.test(jwk.k))
    throw refusal(jwk, 'is a text and not random bytes');
  if (new Set(secret).size < MIN_DISTINCT_BYTES) throw refusal(jwk, 'is not random');
  return secret;
}

function importKeyPair(jwk: Exclude<PrivateJwk, { kty: 'oct' }>): { private: string; public: string } {
  const { privateKey, publicKey } = matchingHalves(jwk);
  const bits = privateKey.asymmetricKeyDetails?.modulusLength;
  if (bits !== undefined && bits < MIN_RSA_BITS) {
    throw refusal(jwk, `has ${bits} bits, fewer than ${MIN_RSA_BITS}`);
  }
  return {
    private: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    public: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

/** Both halves of a key. A signature proves that the public members of the set belong to the private ones. */
function matchingHalves(jwk: Exclude<PrivateJwk, { kty: 'oct' }>): {
  privateKey: KeyObject;
  publicKey: KeyObject;
} {
  try {
    const privateKey = createPrivateKey({ key: jwk, format: 'jwk' });
    const publicKey = createPublicKey({ key: requiredMembers(jwk), format: 'jwk' });
    const digest = jwk.kty === 'OKP' ? null : 'sha256';
    const probe = Buffer.from('idcard');
    if (verify(digest, probe, publicKey, sign(digest, probe, privateKey))) return { privateKey, publicKey };
  } catch {
    // The error is dropped: its message may repeat the key.
  }
  throw refusal(jwk, 'is malformed, or whose private half does not fit its public half');
}

function refusal(jwk: PrivateJwk, reason: string): StartupError {
  const kid = thumbprint(jwk).slice(0, 8);
  return new StartupError(
    `The key set has a key (${jwk.kty}, kid ${kid}…) that ${reason}: replace it, or remove it.`,
  );
}
