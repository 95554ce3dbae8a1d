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
 * Adds a new key of each kind and gives the present ones an end, all by time, so that replicas restarted in any
 * order between now and then agree: until the new keys are active they are published and accepted but sign
 * nothing; the old ones are accepted until the last token they signed has expired. Where a rotation is pending, this one
 * comes after it: a key that became active later would sign past the end that it gets here.
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
 * Takes a leaked key out at once, with every token that it signed. Keys of the other kind stay as they are.
 *
 * If it is the one that signs, the next one of its kind signs from now on: replicas that are restarted later know it, and
 * verifiers have it. A key that nobody knows yet is made only where there is no next one.
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
    // One of another algorithm is not due yet: those who verify are told its day.
    if (next?.alg === algorithm)
      return { keys: keys.map((key) => (key === next ? { ...key, nbf: nowSeconds } : key)) };
    const successor = generateKey(algorithm, nowSeconds);
    return { keys: [...keys, next ? withEnd(successor, signsFrom(next), config.tokens) : successor] };
  }
  if (signsFrom(leaked) <= nowSeconds) return { keys };

  // The one before it has an end, which comes after another signs.
  const published = nowSeconds + config.keys.jwksMaxAgeSeconds;
  const successor = next ?? generateKey(leaked.alg, Math.max(signsFrom(leaked), published));
  const kept = keys.map((key) => (key === before ? withEnd(key, signsFrom(successor), config.tokens) : key));
  return { keys: next ? kept : [...kept, successor] };
}

/** The keys of one kind that are accepted: each signs until the time of the one behind it has come. */
function signingOrder({ keys }: PrivateJwkSet, kind: PrivateJwk, nowSeconds: number): PrivateJwk[] {
  return keys
    .filter((key) => isSecret(key) === isSecret(kind) && isAccepted(key, nowSeconds))
    .reverse() // of two with one time, the first in the set signs
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

/** Accepted until the last token that it signs has expired, or longer where it was to be. */
function withEnd<K extends PrivateJwk>(key: K, signsUntilSeconds: number, tokens: Settings['tokens']): K {
  const lifetime = isSecret(key) ? tokens.refreshTokenIdleSeconds : tokens.accessTokenTtlSeconds;
  return { ...key, exp: Math.max(key.exp ?? 0, signsUntilSeconds + lifetime + tokens.clockToleranceSeconds) };
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
