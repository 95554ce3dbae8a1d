import { z } from 'zod';
import type { RouteSchema } from '../http/route-schema.ts';
import type { App } from '../http/zod.ts';
import { crossSite } from '../problems/catalogue.ts';
import { AccessClaims } from '../tokens/claims.ts';
import { accessClaimsExample } from './examples.ts';

const schema = {
  operationId: 'verify',
  summary: 'Verify an access token',
  description:
    'For proxies (nginx auth_request, Traefik and Caddy forward_auth): 200 lets the request through. With a cookie, ' +
    'the cross-site check applies to the method that the proxy names in X-Forwarded-Method or X-Original-Method.',
  tags: ['Verification'],
  querystring: z.strictObject({}),
  response: { 200: AccessClaims.meta({ id: 'AccessClaims', description: 'RFC 9068 §2.2' }) },
  documents: {
    200: {
      description: 'The claims of the token.',
      headers: {
        'X-Auth-Subject': 'The user id.',
        'X-Auth-Roles': 'The roles, separated by commas.',
      },
      example: accessClaimsExample,
    },
  },
  problems: [crossSite],
} satisfies RouteSchema;

export function verifyRoute(app: App): void {
  app.get('/v1/verify', { schema }, (request, reply) => {
    const { claims } = request;
    reply.header('x-auth-subject', claims.sub).header('x-auth-roles', claims.roles.join(',')).send(claims);
  });
}
