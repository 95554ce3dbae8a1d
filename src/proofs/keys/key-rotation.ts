import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { Config } from '../../config/config.ts';
import { PrivateJwk, thumbprint } from './jwk.ts';
import type { PrivateJwkSet } from './key-set.ts';

type Settings = Pick<Config, 'keys' | 'tokens'>;

/** A key set for a first start: one key for each kind of token, signing from now on. */
export function generateKeySet(
  { algorithm }: Pick<Config['keys'], 'algorithm'>,
  nowSeconds: number,
): PrivateJwkSet {
  return { keys: [generateKey(algorithm, nowSeconds), generateKey('HS256', nowSeconds)] };
}

/**
 * Adds a new key of each kind and gives the present keys an end. Both go by time, so that replicas agree in whatever order they
 * are restarted. Until its time, a new key is published and accepted but signs nothing. An old key is accepted until the last
 * token that it signed has expired. New keys come after those of a pending rotation: a pending key that became active later
 * would sign past the end that it gets here.
 */
export function rotate(
  keySet: PrivateJwkSet,
  { keys, tokens }: Settings,
  nowSeconds: number,
  activateAtSeconds: number,
): PrivateJwkSet {
  const present = keySet.keys.filter((key) => isAccepted(key, nowSeconds));
  const activeFromSeconds = Math.max(activateAtSeconds, ...present.map((key) => signsFrom(key) + 1));
  const outgoing = present.map((key) =>
    key.exp === undefined ? withEnd(key, activeFromSeconds, tokens) : key,
  );
  return {
    keys: [
      ...outgoing,
      generateKey(keys.algorithm, activeFromSeconds),
      generateKey('HS256', activeFromSeconds),
    ],
  };
}

/**
 * Removes a leaked key at once, with every token that it signed. Keys of the other kind stay as they are.
 *
 * If the leaked key signs, the next key of its kind signs from now on: replicas that are restarted later know the next key, and
 * verifiers have it. A new key, which nobody knows yet, is made only where there is no next one.
 */
export function revoke(
  keySet: PrivateJwkSet,
  config: Settings,
  kid: string,
  nowSeconds: number,
): PrivateJwkSet {
  const leaked = keySet.keys.find((key) => thumbprint(key) === kid);
  const keys = keySet.keys.filter((key) => thumbprint(key) !== kid);
  if (!leaked || !isAccepted(leaked, nowSeconds)) return { keys };
  const queue = signingOrder(keySet, leaked, nowSeconds);
  const signing = queue.findLast((key) => signsFrom(key) <= nowSeconds) ?? queue[0];
  const place = queue.indexOf(leaked);
  const [before, next] = [queue[place - 1], queue[place + 1]];

  if (leaked === signing) {
    const algorithm = isSecret(leaked) ? 'HS256' : config.keys.algorithm;
    // A next key of another algorithm keeps its time, which verifiers were told.
    if (next?.alg === algorithm)
      return { keys: keys.map((key) => (key === next ? { ...key, nbf: nowSeconds } : key)) };
    const successor = generateKey(algorithm, nowSeconds);
    return { keys: [...keys, next ? withEnd(successor, signsFrom(next), config.tokens) : successor] };
  }
  if (signsFrom(leaked) <= nowSeconds) return { keys };

  // The key before the leaked one must be accepted until its tokens have expired.
  const published = nowSeconds + config.keys.jwksMaxAgeSeconds;
  const successor = next ?? generateKey(leaked.alg, Math.max(signsFrom(leaked), published));
  const kept = keys.map((key) => (key === before ? withEnd(key, signsFrom(successor), config.tokens) : key));
  return { keys: next ? kept : [...kept, successor] };
}

/** The accepted keys of one kind, in the order in which they sign. */
function signingOrder({ keys }: PrivateJwkSet, kind: PrivateJwk, nowSeconds: number): PrivateJwk[] {
  return keys
    .filter((key) => isSecret(key) === isSecret(kind) && isAccepted(key, nowSeconds))
    .reverse() // of two keys with one time, the first in the set signs
    .sort((a, b) => signsFrom(a) - signsFrom(b));
}

function isAccepted({ exp }: PrivateJwk, nowSeconds: number): boolean {
  return exp === undefined || nowSeconds < exp;
}

function isSecret({ kty }: PrivateJwk): boolean {
  return kty === 'oct';
}

function signsFrom({ nbf = 0 }: PrivateJwk): number {
  return nbf;
}

/** The key, accepted until the last token that it signs has expired. An end that was later stays. */
function withEnd<K extends PrivateJwk>(key: K, signsUntilSeconds: number, tokens: Settings['tokens']): K {
  const lifetime = isSecret(key) ? tokens.refreshTokenIdleSeconds : tokens.accessTokenTtlSeconds;
  return { ...key, exp: Math.max(key.exp ?? 0, signsUntilSeconds + lifetime + tokens.clockToleranceSeconds) };
}

/** A new key. Its `kid` does not begin with "-", which a command line takes for an option. */
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
