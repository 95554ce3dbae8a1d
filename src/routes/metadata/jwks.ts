import { z } from 'zod';
import type { House } from '../../house.ts';
import type { RouteSchema } from '../../http/route-schema.ts';
import type { App } from '../../http/zod.ts';
import { PublicJwk } from '../../proofs/keys/jwk.ts';
import { jwksExample } from '../examples.ts';

const schema = {
  operationId: 'getJwks',
  summary: 'The public keys',
  tags: ['Metadata'],
  response: { 200: z.object({ keys: z.array(PublicJwk.meta({ id: 'Jwk' })) }).meta({ id: 'JwkSet' }) },
  documents: {
    200: {
      description: 'The JWK Set (RFC 7517 §5) that access tokens are verified with.',
      headers: { 'Cache-Control': 'How long a verifier may keep it.' },
      example: jwksExample,
    },
  },
  problems: [],
} satisfies RouteSchema;

export function jwksRoute(app: App, { keySet, config }: House): void {
  app.get('/.well-known/jwks.json', { schema }, async (_request, reply) => {
    reply.header('cache-control', `public, max-age=${config.keys.jwksMaxAgeSeconds}`);
    return keySet.jwks();
  });
}
