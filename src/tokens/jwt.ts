import fastifyJwt, { type JWT } from '@fastify/jwt';
import type { FastifyInstance } from 'fastify';
import type { Key, KeySet } from './key-set.ts';
import type { Profile, TokenKind } from './profiles.ts';

/** Signs and checks signatures. Claims are checked in `tokens.ts`, against an injected clock. */
export interface Jwt {
  sign(key: Key, claims: object): string;
  /** The payload of a token whose signature is right. Throws otherwise. */
  verifySignature(key: Key, token: string): unknown;
}

/**
 * Registers @fastify/jwt once per key, each in a namespace of its own (its `kid`): static options give it a
 * verifier that is built once, and one algorithm per key (RFC 8725 §3.1).
 */
export async function registerJwt(
  app: FastifyInstance,
  keySet: KeySet,
  profiles: Record<TokenKind, Profile>,
): Promise<Jwt> {
  for (const key of keySet.keys) {
    await app.register(fastifyJwt, {
      namespace: key.kid,
      secret: key.material,
      sign: {
        algorithm: key.algorithm,
        kid: key.kid,
        header: { alg: key.algorithm, typ: profiles[key.signs].typ },
      },
      verify: {
        algorithms: [key.algorithm],
        ignoreExpiration: true, // so do the checks of time
        ignoreNotBefore: true,
        cache: false, // its cache shares one mutable object and lets bad tokens evict good ones
      },
    });
  }
  // Its types know one namespace; at run time there is one for each key.
  const namespaces = app.jwt as unknown as Record<string, JWT>;
  const namespaceOf = (key: Key): JWT => {
    const namespace = namespaces[key.kid];
    if (!namespace) throw new Error('A key of another key set.');
    return namespace;
  };
  return {
    sign: (key, claims) => namespaceOf(key).sign(claims),
    verifySignature: (key, token) => namespaceOf(key).verify(token),
  };
}
