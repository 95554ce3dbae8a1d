import { z } from 'zod';
import type { RouteSchema } from '../http/route-schema.ts';
import type { App } from '../http/zod.ts';
import { PublicJwk } from '../tokens/jwk.ts';
import { JWKS_MAX_AGE_SECONDS } from '../tokens/key-set.ts';
import type { RouteDependencies } from './dependencies.ts';

const schema = {
  operationId: 'getJwks',
  summary: 'The public keys',
  tags: ['Metadata'],
  security: [],
  response: { 200: z.object({ keys: z.array(PublicJwk.meta({ id: 'Jwk' })) }).meta({ id: 'JwkSet' }) },
  documents: {
    200: {
      description: 'The JWK Set (RFC 7517 §5) that access tokens are verified with.',
      headers: { 'Cache-Control': 'How long a verifier may keep it.' },
      example: {
        keys: [
          {
            kty: 'EC',
            crv: 'P-256',
            x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
            y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
            kid: 'cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s',
            alg: 'ES256',
            use: 'sig',
          },
        ],
      },
    },
  },
  problems: [],
} satisfies RouteSchema;

export function jwksRoute(app: App, { keySet }: Pick<RouteDependencies, 'keySet'>): void {
  app.get('/.well-known/jwks.json', { schema }, async (_request, reply) => {
    reply.header('cache-control', `public, max-age=${JWKS_MAX_AGE_SECONDS}`);
    return keySet.jwks();
  });
}
