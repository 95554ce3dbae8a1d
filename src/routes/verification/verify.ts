import { z } from 'zod';
import { recentLoginRequired, requireRecentLogin, requireRole, roleRequired } from '../../authentication.ts';
import type { House } from '../../house.ts';
import { headerList, headerText } from '../../http/header-text.ts';
import type { RouteSchema } from '../../http/route-schema.ts';
import type { App } from '../../http/zod.ts';
import { AccessClaims } from '../../proofs/tokens/claims.ts';
import { cookiesNeedHttps, crossSite } from '../../transports/problems.ts';
import { accessClaimsExample } from '../examples.ts';

/** The claims, with one audience as idcard issues them: many generators of clients cannot say "a string or a list". */
const Answer = AccessClaims.strip().extend({ aud: z.string() }).meta({
  id: 'AccessClaims',
  description: 'RFC 9068 §2.2',
});

const ROLE_LENGTH = 'Must have 1 to 256 characters';
/** Any text: a program that embeds idcard names its roles as it likes. */
const AnyRole = z
  .string()
  .min(1, ROLE_LENGTH)
  .max(256, ROLE_LENGTH)
  .meta({ examples: ['staff'] });

const ENCODED = 'what is no visible ASCII is percent-encoded UTF-8, and so is "%"';

const schema = {
  operationId: 'verify',
  summary: 'Verify an access token',
  description:
    'For proxies (nginx auth_request, Traefik and Caddy forward_auth): 200 lets the request through. With a cookie, ' +
    'the cross-site check applies to any method but GET, HEAD and OPTIONS that the proxy names in X-Forwarded-Method or ' +
    'X-Original-Method, to WebSocket handshakes, and to what has an Origin; when a trusted proxy names no method, to every request.',
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
    role: z
      .union([AnyRole.transform((role) => [role]), z.array(AnyRole)], ROLE_LENGTH)
      .optional()
      .meta({
        description: 'Roles of which the user must have one; repeat it for each.',
        // A single role becomes a list of one, so the document shows the list alone.
        override: ({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }) => {
          Object.assign(jsonSchema, jsonSchema.anyOf?.[1]);
          delete jsonSchema.anyOf;
        },
      }),
    preflight: z
      .enum(['pass'])
      .optional()
      .meta({
        description:
          'With "pass", a CORS preflight is answered 204 without a look at credentials: a request that a trusted proxy makes for an ' +
          'OPTIONS that has Origin and Access-Control-Request-Method. Only for a proxy that sets the header of the method itself, ' +
          'in front of an application that answers OPTIONS with nothing but CORS headers.',
      }),
  }),
  response: { 200: Answer, 204: z.null() },
  documents: {
    200: {
      description: 'The claims of the token.',
      headers: {
        'X-Auth-Subject': `The user id; ${ENCODED}.`,
        'X-Auth-Roles': `The roles, separated by commas; ${ENCODED}, and so is a comma in a role.`,
        'X-Auth-Email': `Where EMAIL_CLAIM is on: the email if it is verified, else nothing; ${ENCODED}.`,
      },
      example: accessClaimsExample,
    },
    204: { description: 'A CORS preflight may pass. It says of nobody who that is.' },
  },
  problems: [cookiesNeedHttps, crossSite, roleRequired, recentLoginRequired],
} satisfies RouteSchema;

/** For custom claims: the serializer drops claims that a schema does not declare. Without custom claims, that is faster. */
const withCustomClaims = {
  ...schema,
  response: { ...schema.response, 200: AccessClaims.extend({ aud: z.string() }) },
};

export function verifyRoute(app: App, { clock, config, hasCustomClaims }: House): void {
  app.get('/v1/verify', { schema: hasCustomClaims ? withCustomClaims : schema }, (request, reply) => {
    const { claims, query } = request;
    if (query.role !== undefined) requireRole(claims, query.role);
    if (query.max_age !== undefined) requireRecentLogin(claims, Number(query.max_age), clock);
    if (config.tokens.emailClaim) reply.header('x-auth-email', headerText(claims.email ?? ''));
    reply
      .header('x-auth-subject', headerText(claims.sub))
      .header('x-auth-roles', headerList(claims.roles))
      .send(hasOneAudience(claims) ? claims : { ...claims, aud: config.tokens.audience });
  });
}

function hasOneAudience(claims: AccessClaims): claims is AccessClaims & { aud: string } {
  return typeof claims.aud === 'string';
}
