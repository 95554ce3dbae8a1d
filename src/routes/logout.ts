import { z } from 'zod';
import type { RouteSchema } from '../http/route-schema.ts';
import type { App } from '../http/zod.ts';
import { crossSite } from '../problems/catalogue.ts';
import type { RouteDependencies } from './dependencies.ts';

const schema = {
  operationId: 'logout',
  summary: 'Log out here',
  description:
    'Clears the cookies; a bearer client throws its tokens away. Needs no valid token. ' +
    'Tokens that were copied elsewhere stay valid until they expire: see logout-everywhere.',
  tags: ['Login'],
  security: [],
  response: { 204: z.null() },
  documents: { 204: { description: 'Logged out.', headers: { 'Set-Cookie': 'Both cookies, expired.' } } },
  problems: [crossSite],
} satisfies RouteSchema;

export function logoutRoute(app: App, { transports }: Pick<RouteDependencies, 'transports'>): void {
  app.post('/v1/logout', { schema }, async (request, reply) => {
    // Even without cookies in the request: the answer clears them, and a hostile page must not log anybody out.
    transports.refuseCrossSite(request);
    request.log.info({ event: 'logout', address: request.ip });
    return transports.clearCookies(reply).code(204).send();
  });
}
