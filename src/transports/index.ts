import type { FastifyReply, FastifyRequest } from 'fastify';
import { isUnprotected } from '../base/this-machine.ts';
import { hasAuthorization, readAuthorization, sendBearer } from './bearer.ts';
import { createCookies } from './cookie.ts';
import { createSiteCheck, type SiteCheck, type SiteOptions } from './cross-site.ts';
import { cookiesNeedHttps, severalCredentials } from './problems.ts';
import type { OutgoingTokens, ReceivedToken, TransportName } from './transport.ts';

export interface Transports {
  /**
   * The access token of a request and its transport; undefined when the request has none.
   * @throws severalCredentials, invalidToken, crossSite
   */
  receiveAccessToken(request: FastifyRequest): ReceivedToken | undefined;
  /** Why a request has no access token, for the log at the level debug. */
  explainMissing(request: FastifyRequest): string;
  /** The same for a refresh token, which a body may carry as `refresh_token`. */
  receiveRefreshToken(request: FastifyRequest, fromBody: string | undefined): ReceivedToken | undefined;
  /** The unverified device token of a request that logs in by a transport; undefined for an ambiguous one. */
  receiveDeviceToken(
    request: FastifyRequest,
    transport: TransportName,
    fromBody: string | undefined,
  ): string | undefined;
  /** The DPoP header of a request (RFC 9449 §4.1), unverified. */
  receiveProof(request: FastifyRequest): string | undefined;
  /** Sends a token response: a body, or cookies. */
  send(reply: FastifyReply, transport: TransportName, tokens: OutgoingTokens): FastifyReply;
  /** Whether the request has an Authorization header with one of our schemes. A hostile page cannot make a browser send one. */
  hasAuthorization(request: FastifyRequest): boolean;
  /** To be called before an answer that sets cookies. @throws crossSite */
  refuseUnkeptCookies(request: FastifyRequest): void;
  /** To be called before an answer that clears cookies. @throws crossSite */
  refuseCrossSite(request: FastifyRequest): void;
  clearCookies(reply: FastifyReply): FastifyReply;
}

/**
 * @param issuer the `PUBLIC_URL`, whose cookies these are
 * @param origins whose pages may use cookies here
 */
export function createTransports(
  issuer: string,
  origins: readonly string[],
  options?: SiteOptions,
): Transports {
  const cookies = createCookies(issuer);
  const check = isUnprotected(issuer) ? createCookieRefusal() : createSiteCheck(origins, options);
  const { refuseCrossSite, refuseUnkeptCookies, refuseForgery } = check;

  return {
    receiveAccessToken(request) {
      const header = readAuthorization(request);
      const cookie = cookies.readAccess(request);
      if (cookie === undefined) return header;
      if (header) throw severalCredentials({ reason: () => 'an Authorization header and an access cookie' });
      refuseForgery(request);
      return { token: cookie, transport: 'cookie' };
    },
    explainMissing({ headers: { authorization, cookie } }) {
      const others = [
        ...(authorization === undefined
          ? []
          : ['the Authorization header has no scheme of ours before the token']),
        ...(cookie === undefined ? [] : ['none of the cookies is ours for it']),
      ];
      return `no credentials: ${others.join(', ') || 'neither an Authorization header nor a cookie'}`;
    },
    receiveRefreshToken(request, fromBody) {
      const cookie = cookies.readRefresh(request);
      if (cookie === undefined)
        return fromBody === undefined ? undefined : { token: fromBody, transport: 'bearer' };
      if (fromBody !== undefined || hasAuthorization(request))
        throw severalCredentials({
          reason: () => 'a refresh cookie, and a body field or an Authorization header',
        });
      refuseUnkeptCookies(request);
      return { token: cookie, transport: 'cookie' };
    },
    receiveDeviceToken: (request, transport, fromBody) =>
      transport === 'cookie' ? cookies.readDevice(request) : fromBody,
    // Node.js joins two DPoP headers with a comma, which no proof contains.
    receiveProof: (request) => request.headers.dpop?.toString(),
    send: (reply, transport, tokens) => (transport === 'cookie' ? cookies.send : sendBearer)(reply, tokens),
    hasAuthorization,
    refuseUnkeptCookies,
    refuseCrossSite,
    clearCookies: cookies.clear,
  };
}

/** Stands in for the check of the site, which every request with a cookie passes: plain http refuses all cookies. */
function createCookieRefusal(): SiteCheck {
  const refuse = () => {
    throw cookiesNeedHttps();
  };
  return { refuseCrossSite: refuse, refuseUnkeptCookies: refuse, refuseForgery: refuse };
}
