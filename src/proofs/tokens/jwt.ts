import fastifyJwt, { type JWT } from '@fastify/jwt';
import type { FastifyInstance } from 'fastify';
import { withoutStack } from '../../problems/without-stack.ts';
import type { Key, KeySet } from '../keys/key-set.ts';
import { withLowS } from '../keys/low-s.ts';
import type { Profile, SignedKind } from './profiles.ts';

/** Signs and checks signatures. Claims are checked in `tokens.ts`, against an injected clock. */
export interface Jwt {
  sign(key: Key, kind: SignedKind, claims: object): string;
  /** The payload of a token of any kind whose signature is right. Throws otherwise. */
  verifySignature(key: Key, token: string): unknown;
}

/**
 * Registers @fastify/jwt once for each key and each kind that the key signs, in a namespace of its own. Static options have it
 * build signer and verifier once, with one algorithm per key (RFC 8725 §3.1).
 */
export async function registerJwt(
  app: FastifyInstance,
  keySet: KeySet,
  profiles: Record<SignedKind, Profile>,
): Promise<Jwt> {
  const kinds = Object.keys(profiles) as SignedKind[];
  const pairs = keySet.keys.flatMap((key) =>
    kinds.filter((kind) => profiles[kind].key === key.signs).map((kind) => ({ key, kind })),
  );
  for (const { key, kind } of pairs) {
    await app.register(fastifyJwt, {
      namespace: `${kind} ${key.kid}`,
      secret: key.material,
      sign: {
        algorithm: key.algorithm,
        kid: key.kid,
        header: { alg: key.algorithm, typ: profiles[kind].typ },
      },
      verify: {
        algorithms: [key.algorithm],
        ignoreExpiration: true, // `verification.ts` checks times
        ignoreNotBefore: true,
        cache: false, // the library's cache shares one mutable object, and lets bad tokens evict good ones
      },
    });
  }
  // The types of the library know one namespace; at run time there is one for each pair.
  const namespaces = app.jwt as unknown as Record<string, JWT>;
  const namespaceOf = (kind: SignedKind, key: Key): JWT => {
    const namespace = namespaces[`${kind} ${key.kid}`];
    if (!namespace) throw new Error('A key of another key set.');
    return namespace;
  };
  return {
    sign(key, kind, claims) {
      const token = namespaceOf(kind, key).sign(claims);
      return key.algorithm === 'ES256' ? withLowS(token) : token;
    },
    verifySignature: (key, token) => withoutStack(() => namespaceOf(key.signs, key).verify(token)),
  };
}
