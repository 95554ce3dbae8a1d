import type { FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import { invalidDpopProof, invalidToken, loginRequired, recentLoginRequired } from './problems/catalogue.ts';
import type { AccessClaims } from './tokens/claims.ts';
import { boundToAnotherKey, type Dpop, tokenNotBound } from './tokens/dpop.ts';
import type { Tokens } from './tokens/tokens.ts';
import type { Transports } from './transports/index.ts';
import type { ReceivedToken, TransportName } from './transports/transport.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The verified claims of the access token. Only on routes behind `authentication`. */
    claims: AccessClaims;
    /** The way the access token came. Only on routes behind `authentication`. */
    transport: TransportName;
  }
}

interface Options {
  config: Config;
  tokens: Tokens;
  transports: Transports;
  dpop: Dpop;
}

/**
 * Where the two halves meet: a transport receives, `tokens` verifies, and every route of the scope that registers
 * this plugin has `request.claims`. No I/O.
 */
export const authentication = fp<Options>(
  async (app, { config, tokens, transports, dpop }) => {
    app.decorateRequest('claims');
    app.decorateRequest('transport');
    app.addHook('onRequest', (request, reply, done) => {
      const received = transports.receiveAccessToken(request);
      if (!received) throw loginRequired();
      const claims = tokens.verifyAccess(received.token);
      if (claims.cnf !== undefined || received.scheme === 'DPoP' || config.requireDpop) {
        provePossession(request, reply, received, claims);
      }
      request.claims = claims;
      request.transport = received.transport;
      done();
    });

    /** RFC 9449 §7.1: a bound token needs its scheme and a proof by its key, and is nothing without. */
    function provePossession(
      request: FastifyRequest,
      reply: FastifyReply,
      { token, scheme }: ReceivedToken,
      { cnf }: AccessClaims,
    ): void {
      if (cnf === undefined) throw tokenNotBound();
      if (scheme === 'Bearer')
        throw invalidToken({ detail: 'The token is bound to a key; use the DPoP scheme.' });
      const proof = transports.receiveProof(request);
      if (proof === undefined) throw invalidDpopProof.resource({ detail: 'A DPoP proof is required.' });
      const { method, url } = request;
      const jkt = dpop.verifyProof(proof, { method, url, accessToken: token });
      if (jkt !== cnf.jkt) throw boundToAnotherKey();
      reply.header('dpop-nonce', dpop.nonce());
    }
  },
  { name: 'authentication' },
);

/**
 * Step-up (RFC 9470): demands a login no older than so many seconds. A refresh does not make a login younger.
 * @throws recentLoginRequired
 */
export function requireRecentLogin({ auth_time }: AccessClaims, maxAgeSeconds: number, clock: Clock): void {
  if (clock() - auth_time <= maxAgeSeconds) return;
  throw recentLoginRequired({ challenge: { max_age: String(maxAgeSeconds) } });
}
