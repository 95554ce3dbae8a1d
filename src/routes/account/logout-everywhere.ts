import { z } from 'zod';
import { clientAddress } from '../../http/client-address.ts';
import type { RouteSchema } from '../../http/route-schema.ts';
import type { App } from '../../http/zod.ts';
import { unavailable } from '../../problems/general.ts';
import { cookiesNeedHttps, crossSite } from '../../transports/problems.ts';
import { findCurrentUser } from '../current-user.ts';
import type { RouteDependencies } from '../dependencies.ts';

const schema = {
  operationId: 'logoutEverywhere',
  summary: 'Log out everywhere',
  description: 'Raises the token version: no refresh token of this user works from now on.',
  tags: ['Account'],
  response: { 204: z.null() },
  documents: { 204: { description: 'Logged out everywhere.' } },
  problems: [cookiesNeedHttps, crossSite, unavailable],
} satisfies RouteSchema;

type Dependencies = Pick<RouteDependencies, 'directory' | 'transports'>;

export function logoutEverywhereRoute(app: App, { directory, transports }: Dependencies): void {
  app.post('/v1/logout-everywhere', { schema }, async (request, reply) => {
    const user = await findCurrentUser(directory, request.claims);
    await directory.updateAndVoidTokens(user.id, {});
    request.log.info({ event: 'logout.everywhere', sub: user.id, address: clientAddress(request) });
    if (request.transport === 'cookie') transports.clearCookies(reply);
    return reply.code(204).send(null);
  });
}
