import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { Config } from '../config.ts';
import { PrivateJwk, thumbprint } from './jwk.ts';
import type { PrivateJwkSet } from './key-set.ts';

type Lifetimes = Pick<
  Config,
  'algorithm' | 'accessTokenTtlSeconds' | 'refreshTokenIdleSeconds' | 'clockToleranceSeconds'
>;

/** A key set for a first start: one key for each kind of token, signing from now on. */
export function generateKeySet(config: Lifetimes, nowSeconds: number): PrivateJwkSet {
  return { keys: [generateKey(config.algorithm, nowSeconds), generateKey('HS256', nowSeconds)] };
}

/**
 * Adds a new key of each kind and gives the present ones an end, all by time, so that replicas restarted in any
 * order between now and then agree: until `activeFromSeconds` the new keys are published and accepted but sign
 * nothing; the old ones are accepted until the last token they signed has expired.
 */
export function rotate(
  keySet: PrivateJwkSet,
  config: Lifetimes,
  nowSeconds: number,
  activeFromSeconds: number,
): PrivateJwkSet {
  const present = keySet.keys.filter((key) => key.exp === undefined || nowSeconds < key.exp);
  const outgoing = present.map((key) => {
    const lifetime = key.kty === 'oct' ? config.refreshTokenIdleSeconds : config.accessTokenTtlSeconds;
    return { ...key, exp: key.exp ?? activeFromSeconds + lifetime + config.clockToleranceSeconds };
  });
  return {
    keys: [
      ...outgoing,
      generateKey(config.algorithm, activeFromSeconds),
      generateKey('HS256', activeFromSeconds),
    ],
  };
}

/**
 * Takes a leaked key out at once, with every token that it signed. A kind that is left without a key that signs
 * gets a new one, which signs from now on.
 */
export function revoke(
  keySet: PrivateJwkSet,
  config: Lifetimes,
  kid: string,
  nowSeconds: number,
): PrivateJwkSet {
  const keys = keySet.keys.filter((key) => thumbprint(key) !== kid);
  const signs = (isSecret: boolean) =>
    keys.some(
      (key) => (key.kty === 'oct') === isSecret && (key.nbf ?? 0) <= nowSeconds && key.exp === undefined,
    );
  return {
    keys: [
      ...keys,
      ...(signs(false) ? [] : [generateKey(config.algorithm, nowSeconds)]),
      ...(signs(true) ? [] : [generateKey('HS256', nowSeconds)]),
    ],
  };
}

/** Its name does not begin with "-": on a command line it would be taken for an option. */
function generateKey(algorithm: PrivateJwk['alg'], signsFromSeconds: number): PrivateJwk {
  const members = { alg: algorithm, use: 'sig', nbf: signsFromSeconds };
  let jwk: PrivateJwk;
  let kid: string;
  do {
    jwk = PrivateJwk.parse({ ...generateJwk(algorithm), ...members });
    kid = thumbprint(jwk);
  } while (kid.startsWith('-'));
  return { ...jwk, kid };
}

function generateJwk(algorithm: PrivateJwk['alg']) {
  switch (algorithm) {
    case 'ES256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
    case 'EdDSA':
      return generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
    case 'RS256':
      return generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey.export({ format: 'jwk' });
    case 'HS256':
      return { kty: 'oct', k: randomBytes(32).toString('base64url') };
  }
}
