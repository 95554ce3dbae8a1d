import { randomUUID } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from './base/clock.ts';
import type { Events } from './events/events.ts';
import { senderOf } from './http/sender.ts';
import { Problem } from './problems/problem.ts';
import type { Binding } from './proofs/dpop/binding.ts';
import type { Dpop } from './proofs/dpop/dpop.ts';
import type { CustomClaims, RefreshClaims } from './proofs/tokens/claims.ts';
import type { DeviceTokens } from './proofs/tokens/device-tokens.ts';
import type { Tokens } from './proofs/tokens/tokens.ts';
import type { Transports } from './transports/index.ts';
import { refreshTokenRequired } from './transports/problems.ts';
import type { TransportName } from './transports/transport.ts';
import { type User, verifiedEmail } from './users/user.ts';

/** Called for each access token that is issued. @throws whatever goes wrong: then no token is issued */
export type ClaimsFunction = (user: User) => CustomClaims | Promise<CustomClaims>;

/** What proves who the user is. */
interface Evidence {
  user: User;
  /** When the look-up of the user began (`Logins.now`): the tokens' life counts from here. */
  readAtSeconds: number;
  /** How the user was proven (RFC 8176). */
  amr: readonly string[];
}

/** A login whose page may use the transport. Whichever factor proves the user, the login ends in `finish`. */
interface BegunLogin {
  /**
   * Reads the proof of possession of the request, once. `finish` does so too; a route calls it sooner to refuse a bad
   * proof before a look-up.
   * @throws invalidDpopProof, dpopNonceRequired
   */
  bind(): void;
  /** The device from which the account of this email was logged in to; undefined for a stranger's device, or for none. */
  deviceOf(email: string, fromBody: string | undefined): string | undefined;
  /**
   * Reads the proof, issues the tokens, tells the event, and sends the tokens.
   * @param email by which the user logged in: the new device token is for this email
   */
  finish(evidence: Evidence, email: string): Promise<FastifyReply>;
}

/** A renewal whose refresh token is verified, and so is the key that the token is bound to. */
interface Renewal {
  /** Of the refresh token, which may be void: the caller has to look its user up. */
  claims: RefreshClaims;
  finish(evidence: Pick<Evidence, 'user' | 'readAtSeconds'>): Promise<FastifyReply>;
}

/**
 * Issues tokens and sends them by a transport, as `authentication.ts` receives and verifies them. Nobody can forget the
 * check of the site or the binding to a key, since there is no other way to a token.
 */
export interface Logins {
  /** @throws crossSite, cookiesNeedHttps */
  begin(request: FastifyRequest, reply: FastifyReply, transport: TransportName): BegunLogin;
  /** Begins a new login for a user who is logged in: by the same transport, with the same key. @throws as `begin` */
  beginAnew(
    request: FastifyRequest,
    reply: FastifyReply,
  ): { finish(evidence: Evidence): Promise<FastifyReply> };
  /** @throws refreshTokenRequired, severalCredentials, crossSite, invalidToken, invalidDpopProof, dpopNonceRequired */
  renew(request: FastifyRequest, reply: FastifyReply, fromBody: string | undefined): Renewal;
  /** Clears the cookies; a client with bearer tokens throws them away. @throws crossSite, cookiesNeedHttps */
  end(request: FastifyRequest, reply: FastifyReply): FastifyReply;
  /** Clears the cookies, if there were any, of a user whose tokens were all just voided. */
  clear(request: FastifyRequest, reply: FastifyReply): void;
  /** The time for `readAtSeconds`. */
  now: Clock;
}

export interface LoginDependencies {
  tokens: Tokens;
  dpop: Dpop;
  binding: Binding;
  transports: Transports;
  deviceTokens: DeviceTokens;
  deviceTokenTtlSeconds: number;
  events: Events;
  now: Clock;
  customClaims: ClaimsFunction | undefined;
}

export function createLogins(dependencies: LoginDependencies): Logins {
  const { tokens, dpop, binding, transports, deviceTokens, events, now, customClaims } = dependencies;

  /** The key that new tokens are bound to. The answer gives a nonce for the next proof. */
  function receiveKey(request: FastifyRequest, reply: FastifyReply): string | undefined {
    const proof = transports.receiveProof(request);
    const jkt = binding.keyOf(proof, { method: request.method, url: request.url });
    if (proof !== undefined) reply.header('dpop-nonce', dpop.nonce());
    return jkt;
  }

  async function issue(
    { user, readAtSeconds, amr }: Evidence,
    jkt: string | undefined,
    former?: RefreshClaims,
  ) {
    return tokens.issue({
      sub: user.id,
      issuedAtSeconds: readAtSeconds,
      sid: former?.sid ?? randomUUID(),
      authTimeSeconds: former?.auth_time ?? readAtSeconds,
      amr,
      roles: user.roles,
      email: verifiedEmail(user),
      ver: user.tokenVersion,
      jkt,
      customClaims: await customClaims?.(user),
    });
  }

  /** For the log: who logs out, as long as a token says so. */
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

  return {
    begin(request, reply, transport) {
      if (transport === 'cookie') transports.refuseUnkeptCookies(request);
      let key: { jkt: string | undefined } | undefined;
      const bind = () => {
        key ??= { jkt: receiveKey(request, reply) };
        return key;
      };
      return {
        bind,
        deviceOf: (email, fromBody) =>
          deviceTokens.deviceOf(transports.receiveDeviceToken(request, transport, fromBody), email),
        async finish(evidence, email) {
          const pair = await issue(evidence, bind().jkt);
          const device = {
            token: deviceTokens.issue(email),
            expiresInSeconds: dependencies.deviceTokenTtlSeconds,
          };
          events.tell('login.succeeded', { sub: evidence.user.id, transport, ...senderOf(request) });
          return transports.send(reply, transport, { ...pair, device });
        },
      };
    },
    beginAnew(request, reply) {
      const { transport, claims } = request;
      if (transport === 'cookie') transports.refuseUnkeptCookies(request);
      return {
        finish: async (evidence) => transports.send(reply, transport, await issue(evidence, claims.cnf?.jkt)),
      };
    },
    renew(request, reply, fromBody) {
      const received = transports.receiveRefreshToken(request, fromBody);
      if (!received)
        throw refreshTokenRequired({ reason: () => 'no refresh token: neither in the body nor in a cookie' });
      const claims = tokens.verifyRefresh(received.token);
      const jkt = receiveKey(request, reply);
      binding.refuseOtherKey(claims.cnf?.jkt, jkt);
      return {
        claims,
        async finish(evidence) {
          const pair = await issue({ ...evidence, amr: claims.amr }, jkt, claims);
          events.tell('token.refreshed', { sub: evidence.user.id, ...senderOf(request) });
          return transports.send(reply, received.transport, pair);
        },
      };
    },
    end(request, reply) {
      // The site is checked even without cookies in the request: the answer clears cookies, and a hostile page must not
      // log anybody out. A hostile page cannot send an Authorization header, so a request with one comes from a client,
      // such as an app on an origin that has no cookies here.
      if (!transports.hasAuthorization(request)) transports.refuseCrossSite(request);
      events.tell('logout', { sub: subjectOf(request), ...senderOf(request) });
      return transports.clearCookies(reply);
    },
    clear(request, reply) {
      if (request.transport === 'cookie') transports.clearCookies(reply);
    },
    now,
  };
}
