import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { clientAddress } from '../../http/client-address.ts';
import type { RouteSchema } from '../../http/route-schema.ts';
import type { App } from '../../http/zod.ts';
import { Problem } from '../../problems/problem.ts';
import { cookiesNeedHttps, crossSite } from '../../transports/problems.ts';
import type { RouteDependencies } from '../dependencies.ts';

const schema = {
  operationId: 'logout',
  summary: 'Log out here',
  description:
    'Clears the cookies; a bearer client throws its tokens away. Needs no valid token. ' +
    'Tokens that were copied elsewhere stay valid until they expire: see logout-everywhere.',
  tags: ['Login'],
  response: { 204: z.null() },
  documents: {
    204: {
      description: 'Logged out.',
      headers: { 'Set-Cookie': 'Both cookies of tokens, expired. `__Host-device` stays.' },
    },
  },
  problems: [cookiesNeedHttps, crossSite],
} satisfies RouteSchema;

type Dependencies = Pick<RouteDependencies, 'tokens' | 'transports'>;

export function logoutRoute(app: App, { tokens, transports }: Dependencies): void {
  app.post('/v1/logout', { schema }, async (request, reply) => {
    // Even without cookies in the request: the answer clears them, and a hostile page must not log anybody out. It cannot
    // send a header of ours, so what has one comes from a client: an app may stand on an origin that has no cookies here.
    if (!transports.hasAuthorization(request)) transports.refuseCrossSite(request);
    request.log.info({ event: 'logout', sub: subjectOf(request), address: clientAddress(request) });
    return transports.clearCookies(reply).code(204).send();
  });

  /** For the log: who logs out, when a token still says so. */
  function subjectOf(request: FastifyRequest): string | undefined {
    try {
      const refresh = transports.receiveRefreshToken(request, undefined);
      if (refresh) return tokens.verifyRefresh(refresh.token).sub;
      const access = transports.receiveAccessToken(request);
      return access && tokens.verifyAccess(access.token).sub;
    } catch (error) {
      if (error instanceof Problem) return undefined;
      throw error;
    }
  }
}
