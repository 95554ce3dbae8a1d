import { z } from 'zod';
import { clientAddress } from '../../http/client-address.ts';
import type { RouteSchema } from '../../http/route-schema.ts';
import type { App } from '../../http/zod.ts';
import { invalidToken, unavailable } from '../../problems/general.ts';
import type { Problem } from '../../problems/problem.ts';
import { boundToAnotherKey, tokenNotBound } from '../../proofs/dpop/dpop.ts';
import { dpopNonceRequired, invalidDpopProof } from '../../proofs/dpop/problems.ts';
import { cookiesNeedHttps, crossSite, severalCredentials } from '../../transports/problems.ts';
import { verifiedEmail } from '../../users/user.ts';
import { findCurrentUser } from '../current-user.ts';
import type { RouteDependencies } from '../dependencies.ts';
import { tokenExample } from '../examples.ts';
import { receiveBinding } from './binding.ts';
import { refreshTokenRequired } from './problems.ts';
import { tokenResponses } from './token-response.ts';

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

type Dependencies = Pick<
  RouteDependencies,
  'config' | 'directory' | 'tokens' | 'dpop' | 'transports' | 'issuingClock' | 'customClaims'
>;

export function refreshRoute(app: App, dependencies: Dependencies): void {
  const { directory, tokens, transports, issuingClock, customClaims } = dependencies;

  app.post('/v1/refresh', { schema }, async (request, reply) => {
    const received = transports.receiveRefreshToken(request, request.body?.refresh_token);
    if (!received)
      throw refreshTokenRequired({ reason: () => 'no refresh token: neither in the body nor in a cookie' });
    const claims = tokens.verifyRefresh(received.token);
    const jkt = receiveBinding(request, reply, dependencies);
    // A bound refresh token is nothing without its key. An unbound one may be bound from now on, but not where only
    // bound ones count: whoever stole it could bind it too.
    if (dependencies.config.requireDpop && claims.cnf === undefined) throw tokenNotBound();
    if (claims.cnf !== undefined && claims.cnf.jkt !== jkt) throw keyMismatch(jkt, claims.cnf.jkt);
    const issuedAtSeconds = issuingClock(); // before the look-up: what it tells may be void a moment later
    const user = await findCurrentUser(directory, claims);

    request.log.info({ event: 'token.refreshed', sub: user.id, address: clientAddress(request) });
    const pair = tokens.issue({
      sub: user.id,
      issuedAtSeconds,
      sid: claims.sid,
      authTimeSeconds: claims.auth_time,
      amr: claims.amr,
      roles: user.roles,
      email: verifiedEmail(user),
      ver: user.tokenVersion,
      jkt,
      customClaims: await customClaims?.(user),
    });
    return transports.send(reply, received.transport, pair);
  });
}

function keyMismatch(jkt: string | undefined, expected: string): Problem {
  return jkt === undefined
    ? invalidDpopProof.login({ detail: 'The refresh token is bound to a key: a DPoP proof is required.' })
    : boundToAnotherKey(jkt, expected);
}
