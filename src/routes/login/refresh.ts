import { z } from 'zod';
import type { House } from '../../house.ts';
import type { RouteSchema } from '../../http/route-schema.ts';
import type { App } from '../../http/zod.ts';
import { invalidToken, unavailable } from '../../problems/general.ts';
import { dpopNonceRequired, invalidDpopProof } from '../../proofs/dpop/problems.ts';
import {
  cookiesNeedHttps,
  crossSite,
  refreshTokenRequired,
  severalCredentials,
} from '../../transports/problems.ts';
import { findCurrentUser } from '../current-user.ts';
import { tokenExample } from '../examples.ts';
import { tokenResponses } from '../token-responses.ts';

const schema = {
  operationId: 'refresh',
  summary: 'Renew the tokens',
  description:
    'Send the refresh token in the body, or its cookie; the new pair leaves by the way the old one came. ' +
    'Safe to repeat: a refresh token stays usable until it expires.',
  tags: ['Login'],
  body: z.strictObject({ refresh_token: z.string().optional() }).optional().meta({ id: 'Refresh' }),
  bodyExamples: {
    bearer: { refresh_token: tokenExample.refresh_token },
    cookie: {},
  },
  ...tokenResponses,
  problems: [
    refreshTokenRequired,
    invalidToken,
    invalidDpopProof.login,
    dpopNonceRequired.login,
    severalCredentials,
    cookiesNeedHttps,
    crossSite,
    unavailable,
  ],
} satisfies RouteSchema;

export function refreshRoute(app: App, { logins, directory }: House): void {
  app.post('/v1/refresh', { schema }, async (request, reply) => {
    const renewal = logins.renew(request, reply, request.body?.refresh_token);
    const readAtSeconds = logins.now(); // before the look-up: what it tells may be void a moment later
    const user = await findCurrentUser(directory, renewal.claims);
    return renewal.finish({ user, readAtSeconds });
  });
}
