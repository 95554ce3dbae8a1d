import { z } from 'zod';
import { requireRecentLogin } from '../authentication.ts';
import type { RouteSchema } from '../http/route-schema.ts';
import type { App } from '../http/zod.ts';
import { crossSite, recentLoginRequired } from '../problems/catalogue.ts';
import { AccessClaims } from '../tokens/claims.ts';
import type { RouteDependencies } from './dependencies.ts';
import { accessClaimsExample } from './examples.ts';

/** With one audience, as idcard issues them: many generators of clients cannot say "a string or a list". */
const Answer = AccessClaims.strip().extend({ aud: z.string() }).meta({
  id: 'AccessClaims',
  description: 'RFC 9068 §2.2',
});

const schema = {
  operationId: 'verify',
  summary: 'Verify an access token',
  description:
    'For proxies (nginx auth_request, Traefik and Caddy forward_auth): 200 lets the request through. With a cookie, ' +
    'the cross-site check applies to the method that the proxy names in X-Forwarded-Method or X-Original-Method; when a ' +
    'trusted proxy names none, to every request.',
  tags: ['Verification'],
  querystring: z.strictObject({
    max_age: z
      .string()
      .regex(/^[0-9]{1,9}$/, 'Must be a whole number of seconds')
      .optional()
      .meta({
        description: 'How many seconds ago the user may have logged in at most (RFC 9470).',
        examples: ['300'],
      }),
  }),
  response: { 200: Answer },
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
  problems: [crossSite, recentLoginRequired],
} satisfies RouteSchema;

/** What is not declared is not sent, and that is the faster way to send the rest. */
const withCustomClaims = { ...schema, response: { 200: AccessClaims.extend({ aud: z.string() }) } };

type Dependencies = Pick<RouteDependencies, 'clock' | 'config' | 'customClaims'>;

export function verifyRoute(app: App, { clock, config, customClaims }: Dependencies): void {
  app.get('/v1/verify', { schema: customClaims ? withCustomClaims : schema }, (request, reply) => {
    const { claims, query } = request;
    if (query.max_age !== undefined) requireRecentLogin(claims, Number(query.max_age), clock);
    reply
      .header('x-auth-subject', claims.sub)
      .header('x-auth-roles', claims.roles.join(','))
      .send(hasOneAudience(claims) ? claims : { ...claims, aud: config.audience });
  });
}

function hasOneAudience(claims: AccessClaims): claims is AccessClaims & { aud: string } {
  return typeof claims.aud === 'string';
}
