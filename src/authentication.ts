import fp from 'fastify-plugin';
import { loginRequired } from './problems/catalogue.ts';
import type { AccessClaims } from './tokens/claims.ts';
import type { Tokens } from './tokens/tokens.ts';
import type { Transports } from './transports/index.ts';
import type { TransportName } from './transports/transport.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The verified claims of the access token. Only on routes behind `authentication`. */
    claims: AccessClaims;
    /** The way the access token came. Only on routes behind `authentication`. */
    transport: TransportName;
  }
}

/**
 * Where the two halves meet: a transport receives, `tokens` verifies, and every route of the scope that registers
 * this plugin has `request.claims`. No I/O.
 */
export const authentication = fp<{ tokens: Tokens; transports: Transports }>(
  async (app, { tokens, transports }) => {
    app.decorateRequest('claims');
    app.decorateRequest('transport');
    app.addHook('onRequest', (request, _reply, done) => {
      const received = transports.receiveAccessToken(request);
      if (!received) throw loginRequired();
      request.claims = tokens.verifyAccess(received.token);
      request.transport = received.transport;
      done();
    });
  },
  { name: 'authentication' },
);
