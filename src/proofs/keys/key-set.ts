import { z } from 'zod';
import type { Clock } from '../../base/clock.ts';
import { StartupError } from '../../base/startup-error.ts';
import type { SigningAlgorithm } from '../../config/config.ts';
import { importKey, type KeyMaterial } from './import-key.ts';
import { type KeyAlgorithm, PrivateJwk, type PublicJwk, thumbprint, toPublicJwk } from './jwk.ts';

/** The kinds of token that a user holds. */
export type TokenKind = 'access' | 'refresh';

export interface Key {
  kid: string;
  algorithm: KeyAlgorithm;
  /** The one kind of token that this key signs: asymmetric keys sign access tokens, secrets refresh tokens. */
  signs: TokenKind;
  material: KeyMaterial;
  /** The public half; a secret has none. */
  publicJwk: PublicJwk | undefined;
  signsFromSeconds: number;
  /** From this second on, nothing that the key signed is accepted. */
  retiredAtSeconds: number;
}

export interface KeySet {
  keys: readonly Key[];
  /** The key that signs tokens of a kind right now. */
  signingKey(kind: TokenKind): Key;
  /** The key with this `kid`, unless it is retired. */
  verificationKey(kid: string): Key | undefined;
  /** The public keys that are not retired (RFC 7517 §5). */
  jwks(): { keys: PublicJwk[] };
}

export const PrivateJwkSet = z.object({ keys: z.array(PrivateJwk) });
export type PrivateJwkSet = z.infer<typeof PrivateJwkSet>;

/**
 * The keys of a private JWK Set.
 * @param json the text of the key file or of `KEY_SET`
 * @throws StartupError when it is malformed, weak, lacks a key, or does not fit the configured algorithm
 */
export function createKeySet(json: string, algorithm: SigningAlgorithm, clock: Clock): KeySet {
  const keys = parseKeySet(json).keys.map(toKey);
  const now = clock();
  for (const kind of ['access', 'refresh'] as const) {
    if (!keys.some((key) => key.signs === kind && now < key.retiredAtSeconds)) {
      throw new StartupError(
        `The key set has no key for ${kind} tokens: run "idcard keys rotate" to add one.`,
      );
    }
  }
  if (!keys.some((key) => key.algorithm === algorithm && now < key.retiredAtSeconds)) {
    throw new StartupError(
      `JWT_ALGORITHM is ${algorithm} but no key in the key set is: run "idcard keys rotate" with the same setting.`,
    );
  }
  const byKid = new Map(keys.map((key) => [key.kid, key]));

  return {
    keys,
    signingKey: (kind) => signingKey(keys, kind, clock()),
    verificationKey(kid) {
      const key = byKid.get(kid);
      return key !== undefined && clock() < key.retiredAtSeconds ? key : undefined;
    },
    jwks: () => ({
      keys: keys.flatMap((key) => (key.publicJwk && clock() < key.retiredAtSeconds ? [key.publicJwk] : [])),
    }),
  };
}

/** @throws StartupError */
export function parseKeySet(json: string): PrivateJwkSet {
  try {
    return PrivateJwkSet.parse(JSON.parse(json));
  } catch (cause) {
    throw new StartupError(
      'The key set is not a private JWK Set of EC P-256, Ed25519, RSA and oct keys: restore it from a backup. ' +
        'If there is none, take it away, and "idcard keys create" makes new keys; everybody has to log in again.',
      // The parser's own message repeats what it read, which may be a private key.
      { cause: cause instanceof z.ZodError ? cause : undefined },
    );
  }
}

/** The newest key whose time has come. Where a slow clock finds none, the key whose time comes first. */
export function signingKey(keys: readonly Key[], kind: TokenKind, nowSeconds: number): Key {
  const usable = keys
    .filter((key) => key.signs === kind && nowSeconds < key.retiredAtSeconds)
    .sort((a, b) => b.signsFromSeconds - a.signsFromSeconds);
  const key = usable.find((candidate) => candidate.signsFromSeconds <= nowSeconds) ?? usable.at(-1);
  if (!key) throw new Error(`Every key for ${kind} tokens is retired.`);
  return key;
}

function toKey(jwk: PrivateJwk): Key {
  return {
    kid: thumbprint(jwk),
    algorithm: jwk.alg,
    signs: jwk.kty === 'oct' ? 'refresh' : 'access',
    material: importKey(jwk),
    publicJwk: jwk.kty === 'oct' ? undefined : toPublicJwk(jwk),
    signsFromSeconds: jwk.nbf ?? 0,
    retiredAtSeconds: jwk.exp ?? Number.POSITIVE_INFINITY,
  };
}
