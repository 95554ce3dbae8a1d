import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { basePathOf } from '../../base/issuer.ts';
import type { House } from '../../house.ts';
import type { RouteSchema } from '../../http/route-schema.ts';
import type { App } from '../../http/zod.ts';

const schema = {
  operationId: 'getServerMetadata',
  summary: 'The authorization server metadata',
  description:
    'Tells a verifier the issuer and where its keys are. There are no OAuth grants, and none are claimed.',
  tags: ['Metadata'],
  response: {
    200: z
      .object({
        issuer: z.string(),
        jwks_uri: z.string(),
        response_types_supported: z.array(z.string()),
        grant_types_supported: z.array(z.string()),
      })
      .meta({ id: 'ServerMetadata', description: 'RFC 8414 §2' }),
  },
  documents: {
    200: {
      description: 'The metadata.',
      example: {
        issuer: 'http://localhost:3000',
        jwks_uri: 'http://localhost:3000/.well-known/jwks.json',
        response_types_supported: [],
        grant_types_supported: [],
      },
    },
  },
  problems: [],
} satisfies RouteSchema;

const PATH = '/.well-known/oauth-authorization-server';

export function serverMetadataRoute(app: App, { config }: House): void {
  const metadata = {
    issuer: config.server.publicUrl,
    jwks_uri: `${config.server.publicUrl}/.well-known/jwks.json`,
    // Both lists are empty, and yet sent: without them, RFC 8414 §2 would have clients assume a flow.
    response_types_supported: [],
    grant_types_supported: [],
  };
  const answer = (reply: FastifyReply) => {
    reply.header('cache-control', `public, max-age=${config.keys.jwksMaxAgeSeconds}`);
    return metadata;
  };
  app.get(PATH, { schema }, async (_request, reply) => answer(reply));
  const basePath = basePathOf(config.server.publicUrl);
  if (basePath) app.get(PATH + basePath, async (_request, reply) => answer(reply)); // RFC 8414 §3.1
}
