import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { Clock } from './base/clock.ts';
import { quoted } from './base/log-text.ts';
import { define } from './problems/define.ts';
import { invalidToken } from './problems/general.ts';
import { boundToAnotherKey, type Dpop, tokenNotBound } from './proofs/dpop/dpop.ts';
import { invalidDpopProof } from './proofs/dpop/problems.ts';
import type { AccessClaims } from './proofs/tokens/claims.ts';
import type { Tokens } from './proofs/tokens/tokens.ts';
import type { Transports } from './transports/index.ts';
import { loginRequired } from './transports/problems.ts';
import type { ReceivedToken, TransportName } from './transports/transport.ts';

export const roleRequired = define(
  403,
  'role-required',
  'Role required',
  'The user has no role that may do this.',
);

export const recentLoginRequired = define(
  401,
  'recent-login-required',
  'Recent login required',
  'The login is too old for this; log in again.',
  { challenge: 'insufficient_user_authentication' },
);

declare module 'fastify' {
  interface FastifyRequest {
    /** The verified claims of the access token. Only where a login is required. */
    claims: AccessClaims;
    /** The transport of the access token. Only where a login is required. */
    transport: TransportName;
  }
}

export interface AuthenticationOptions {
  /** Whether tokens that are not bound to a key are refused. */
  requireDpop: boolean;
  tokens: Pick<Tokens, 'verifyAccess'>;
  transports: Pick<Transports, 'receiveAccessToken' | 'explainMissing' | 'receiveProof'>;
  /** Absent where no proof can be checked: a token that is bound to a key is refused there. */
  dpop?: Dpop | undefined;
}

/**
 * A transport receives the access token, `tokens` verifies it, and the request gets its claims. No I/O.
 * @throws loginRequired, and whatever the transport and `tokens` throw
 */
export function createAuthentication({ requireDpop, tokens, transports, dpop }: AuthenticationOptions) {
  /** RFC 9449 §7.1: a token that is bound to a key needs the DPoP scheme and a proof by that key. */
  function provePossession(
    request: FastifyRequest,
    reply: FastifyReply,
    { token, scheme }: ReceivedToken,
    { cnf }: AccessClaims,
  ): void {
    if (cnf === undefined) throw tokenNotBound();
    if (!dpop) throw invalidToken({ detail: 'Tokens that are bound to a key are not taken here.' });
    if (scheme === 'Bearer')
      throw invalidToken({ detail: 'The token is bound to a key; use the DPoP scheme.' });
    const proof = transports.receiveProof(request);
    if (proof === undefined) throw invalidDpopProof.resource({ detail: 'A DPoP proof is required.' });
    const { method, originalUrl: url } = request;
    const jkt = dpop.verifyProof(proof, { method, url, accessToken: token });
    if (jkt !== cnf.jkt) throw boundToAnotherKey(jkt, cnf.jkt);
    reply.header('dpop-nonce', dpop.nonce());
  }

  return (request: FastifyRequest, reply: FastifyReply): void => {
    const received = transports.receiveAccessToken(request);
    if (!received) throw loginRequired({ reason: () => transports.explainMissing(request) });
    const claims = tokens.verifyAccess(received.token);
    if (claims.cnf !== undefined || received.scheme === 'DPoP' || requireDpop) {
      provePossession(request, reply, received, claims);
    }
    request.claims = claims;
    request.transport = received.transport;
  };
}

/** Every route of the scope that registers this plugin has `request.claims`. */
export const authentication = fp<AuthenticationOptions>(
  async (app, options) => {
    const authenticate = createAuthentication(options);
    app.decorateRequest('claims');
    app.decorateRequest('transport');
    app.addHook('onRequest', (request, reply, done) => {
      authenticate(request, reply);
      done();
    });
  },
  { name: 'authentication' },
);

/** Whether the routes of a scope need a login: the scope, or one around it, has registered the plugin. */
export function isLocked(scope: FastifyInstance): boolean {
  return scope.hasRequestDecorator('claims');
}

/** Demands one of the roles. @throws roleRequired */
export function requireRole({ roles }: AccessClaims, anyOf: readonly string[]): void {
  if (anyOf.some((role) => roles.includes(role))) return;
  throw roleRequired({ reason: () => `the roles are ${quoted(roles)}, one is needed of ${quoted(anyOf)}` });
}

/**
 * Step-up (RFC 9470): demands a login no older than so many seconds. A refresh does not make a login younger.
 * @throws recentLoginRequired
 */
export function requireRecentLogin({ auth_time }: AccessClaims, maxAgeSeconds: number, clock: Clock): void {
  const ageSeconds = clock() - auth_time;
  if (ageSeconds <= maxAgeSeconds) return;
  throw recentLoginRequired({
    challenge: { max_age: String(maxAgeSeconds) },
    reason: () => `logged in ${ageSeconds} s ago, at most ${maxAgeSeconds} s are allowed here`,
  });
}
