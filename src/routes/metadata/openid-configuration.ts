import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { basePathOf } from '../../base/issuer.ts';
import type { House } from '../../house.ts';
import type { RouteSchema } from '../../http/route-schema.ts';
import type { App } from '../../http/zod.ts';

const schema = {
  operationId: 'getOpenidConfiguration',
  summary: 'The same metadata, where gateways look',
  description:
    'For gateways and frameworks that look for an issuer and its keys here alone. idcard is no OpenID provider: there are ' +
    'no ID tokens and no endpoints of OAuth. The algorithms are those of the published keys, which sign access tokens.',
  tags: ['Metadata'],
  response: {
    200: z
      .object({
        issuer: z.string(),
        jwks_uri: z.string(),
        response_types_supported: z.array(z.string()),
        grant_types_supported: z.array(z.string()),
        subject_types_supported: z.array(z.string()),
        id_token_signing_alg_values_supported: z.array(z.string()),
      })
      .meta({
        id: 'OpenidConfiguration',
        description: 'OpenID Connect Discovery 1.0 §3, as far as it is true',
      }),
  },
  documents: {
    200: {
      description: 'The metadata.',
      example: {
        issuer: 'http://localhost:3000',
        jwks_uri: 'http://localhost:3000/.well-known/jwks.json',
        response_types_supported: [],
        grant_types_supported: [],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['ES256'],
      },
    },
  },
  problems: [],
} satisfies RouteSchema;

const PATH = '/.well-known/openid-configuration';

export function openidConfigurationRoute(app: App, { config, keySet }: House): void {
  const metadata = {
    issuer: config.server.publicUrl,
    jwks_uri: `${config.server.publicUrl}/.well-known/jwks.json`,
    // Both lists are empty, since there is no flow. Without grant_types_supported, clients would assume two.
    response_types_supported: [],
    grant_types_supported: [],
    subject_types_supported: ['public'],
  };
  const answer = (reply: FastifyReply) => {
    reply.header('cache-control', `public, max-age=${config.keys.jwksMaxAgeSeconds}`);
    const algorithms = new Set(keySet.jwks().keys.map(({ alg }) => alg));
    return { ...metadata, id_token_signing_alg_values_supported: [...algorithms] };
  };
  app.get(PATH, { schema }, async (_request, reply) => answer(reply));
  const basePath = basePathOf(config.server.publicUrl);
  // Some clients look for an issuer with a path here, as RFC 8414 §3.1 says.
  if (basePath) app.get(PATH + basePath, async (_request, reply) => answer(reply));
}
