import { z } from 'zod';
import type { House } from '../../house.ts';
import type { RouteSchema } from '../../http/route-schema.ts';
import { senderOf } from '../../http/sender.ts';
import type { App } from '../../http/zod.ts';
import { unavailable } from '../../problems/general.ts';
import { cookiesNeedHttps, crossSite } from '../../transports/problems.ts';
import { findCurrentUser } from '../current-user.ts';

const schema = {
  operationId: 'logoutEverywhere',
  summary: 'Log out everywhere',
  description: 'Raises the token version: no refresh token of this user works from now on.',
  tags: ['Account'],
  response: { 204: z.null() },
  documents: { 204: { description: 'Logged out everywhere.' } },
  problems: [cookiesNeedHttps, crossSite, unavailable],
} satisfies RouteSchema;

export function logoutEverywhereRoute(app: App, { directory, logins, events }: House): void {
  app.post('/v1/logout-everywhere', { schema }, async (request, reply) => {
    const user = await findCurrentUser(directory, request.claims);
    await directory.updateAndVoidTokens(user.id, {});
    events.tell('logout.everywhere', { sub: user.id, ...senderOf(request) });
    logins.clear(request, reply);
    return reply.code(204).send(null);
  });
}
