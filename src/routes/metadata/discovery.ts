import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { basePathOf } from '../../base/issuer.ts';
import type { House } from '../../house.ts';
import type { RouteSchema } from '../../http/route-schema.ts';
import type { App } from '../../http/zod.ts';

/* The two documents by which others find an issuer and its keys: RFC 8414 §2, OpenID Connect Discovery 1.0 §3. */

export const discoveryMembers = {
  issuer: z.string(),
  jwks_uri: z.string(),
  response_types_supported: z.array(z.string()),
  grant_types_supported: z.array(z.string()),
};

export const discoveryExample = {
  issuer: 'http://localhost:3000',
  jwks_uri: 'http://localhost:3000/.well-known/jwks.json',
  response_types_supported: [],
  grant_types_supported: [],
};

/**
 * Serves a document at its path, and at the second place where others look for an issuer with a path (RFC 8414 §3.1).
 * @param more the members of this document alone
 */
export function discoveryRoute(
  app: App,
  { config }: House,
  path: string,
  schema: RouteSchema,
  more: () => object = () => ({}),
): void {
  const { publicUrl } = config.server;
  const members = {
    issuer: publicUrl,
    jwks_uri: `${publicUrl}/.well-known/jwks.json`,
    // Both are required, and empty: there is no flow. Without grant_types_supported, RFC 8414 §2 would have clients assume two.
    response_types_supported: [],
    grant_types_supported: [],
  };
  const answer = (reply: FastifyReply) => {
    reply.header('cache-control', `public, max-age=${config.keys.jwksMaxAgeSeconds}`);
    return { ...members, ...more() };
  };
  app.get(path, { schema }, async (_request, reply) => answer(reply));
  const basePath = basePathOf(publicUrl);
  if (basePath) app.get(path + basePath, async (_request, reply) => answer(reply));
}
