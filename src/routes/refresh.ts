import { z } from 'zod';
import type { RouteSchema } from '../http/route-schema.ts';
import type { App } from '../http/zod.ts';
import {
  crossSite,
  invalidToken,
  refreshTokenRequired,
  severalCredentials,
  unavailable,
} from '../problems/catalogue.ts';
import { findCurrentUser } from './current-user.ts';
import type { RouteDependencies } from './dependencies.ts';
import { tokenExample } from './examples.ts';
import { tokenResponses } from './token-response.ts';

const schema = {
  operationId: 'refresh',
  summary: 'Renew the tokens',
  description:
    'Send the refresh token in the body, or its cookie; the new pair leaves by the way the old one came. ' +
    'Safe to repeat: a refresh token stays usable until it expires.',
  tags: ['Login'],
  security: [],
  body: z.strictObject({ refresh_token: z.string().optional() }).optional().meta({ id: 'Refresh' }),
  bodyExamples: {
    bearer: { refresh_token: tokenExample.refresh_token },
    cookie: {},
  },
  ...tokenResponses,
  problems: [refreshTokenRequired, invalidToken, severalCredentials, crossSite, unavailable],
} satisfies RouteSchema;

type Dependencies = Pick<RouteDependencies, 'directory' | 'tokens' | 'transports'>;

export function refreshRoute(app: App, { directory, tokens, transports }: Dependencies): void {
  app.post('/v1/refresh', { schema }, async (request, reply) => {
    const received = transports.receiveRefreshToken(request, request.body?.refresh_token);
    if (!received) throw refreshTokenRequired();
    const claims = tokens.verifyRefresh(received.token);
    const user = await findCurrentUser(directory, claims);

    request.log.info({ event: 'token.refreshed', sub: user.id, address: request.ip });
    const pair = tokens.issue({
      sub: user.id,
      sid: claims.sid,
      authTimeSeconds: claims.auth_time,
      amr: claims.amr,
      roles: user.roles,
      ver: user.tokenVersion,
    });
    return transports.send(reply, received.transport, pair);
  });
}
