import { z } from 'zod';
import type { House } from '../../house.ts';
import { matches } from '../../http/if-none-match.ts';
import type { RouteSchema } from '../../http/route-schema.ts';
import type { App } from '../../http/zod.ts';
import { revocationsExample } from '../examples.ts';

const schema = {
  operationId: 'getRevocations',
  summary: 'The token versions that were raised lately',
  description:
    'For services that verify tokens themselves: a signed JWT (typ revocations+jwt) whose claim `revocations` maps ' +
    'the SHA-256 of a subject (base64url) to the token version below which its access tokens are void, and ' +
    '`access_token_ttl` says for how many seconds after its `iat` any access token is good at most. With the claim ' +
    '`not_before`, which is there when more than 50,000 users were revoked, access tokens with an `iat` up to it are void too, ' +
    'whoever’s they are. Its `aud` is its own address. ' +
    'Ask again with If-None-Match: while nothing changed the answer is 304.',
  tags: ['Metadata'],
  response: { 200: z.string(), 304: z.null() },
  documents: {
    200: {
      description: 'The list, signed with a key of the JWK Set.',
      mediaType: 'application/jwt',
      headers: { ETag: 'Changes with the list.', 'Cache-Control': 'no-cache: a cache asks each time.' },
      example: revocationsExample,
    },
    304: { description: 'The list is still the one with this ETag.' },
  },
  problems: [],
} satisfies RouteSchema;

export function revocationsRoute(app: App, { revocationList }: House): void {
  app.get('/.well-known/revocations', { schema }, async (request, reply) => {
    const { jwt, etag } = revocationList.current();
    // A cache that answered by itself would delay every revocation. A cache that asks each time is welcome.
    reply.header('etag', etag).header('cache-control', 'no-cache');
    if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send(null);
    return reply.type('application/jwt').send(jwt);
  });
}
