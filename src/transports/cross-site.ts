import type { FastifyRequest } from 'fastify';
import { isHandshake } from '../base/handshake.ts';
import { quoted } from '../base/log-text.ts';
import { isWebOrigin } from '../base/web-origin.ts';
import { shownOrigin } from '../problems/shown-origin.ts';
import { crossSite } from './problems.ts';

/** RFC 9110 §9.2.1, without TRACE. Every other method that a proxy names counts as unsafe. */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

const UNNAMED_METHOD =
  'The proxy that asked named no method, so that the request counts as one that may change something, and another site ' +
  'may have made it. Have the proxy set X-Forwarded-Method or X-Original-Method to the method of the request.';

const UNKEPT_COOKIES =
  'The page is of another site than this API (as 127.0.0.1 is of another than localhost), or of an app with a scheme of its ' +
  'own, so that its browser would keep no cookies: serve both from one site, or log in with transport "bearer".';

/** What the author of the page, or the operator, can do about a refusal. */
function explain(origin: string | undefined, site: unknown): string {
  if (origin === undefined)
    return `Another site made this request (Sec-Fetch-Site: ${site}), and cookies must not count then: call from a page of this origin, or of one in ALLOWED_ORIGINS.`;
  if (origin === 'null')
    return 'The page has no origin of its own (a file, or a sandboxed frame), so that its cookies must not count: use a bearer token.';
  const shown = shownOrigin(origin);
  return isWebOrigin(origin)
    ? `Pages of the origin ${shown} may not call with cookies: the operator lists those that may in ALLOWED_ORIGINS (of the verifier: allowedOrigins).`
    : `Pages of the origin ${shown} have no cookies here: log in with transport "bearer".`;
}

/** `Sec-Fetch-Site` of pages whose cookies a browser keeps (SameSite=Lax). Old browsers do not send it. */
const SITES_WITH_COOKIES: readonly unknown[] = ['same-origin', 'same-site', 'none', undefined];

export interface SiteOptions {
  /** Whether this is the address of a proxy, which asks on behalf of other requests and must name their method. */
  isProxy?: ((address: string) => boolean) | undefined;
  /** The detail of a refusal, where the usual one would not help. */
  detail?: string | undefined;
}

export interface SiteCheck {
  /**
   * Refuses requests that a page of another site made. A browser attaches cookies by itself, so a cookie proves who the user
   * is but not that the user wanted this. `Sec-Fetch-Site` tells the site, and browsers without it send `Origin`. A client that
   * sends neither is no browser, and nobody can make it send somebody else's cookies.
   * @throws crossSite
   */
  refuseCrossSite(request: FastifyRequest): void;
  /**
   * The same for a request whose answer sets cookies. A browser keeps no cookies for a page of another site, even an allowed
   * one: the login would succeed, and nobody would be logged in.
   * @throws crossSite
   */
  refuseUnkeptCookies(request: FastifyRequest): void;
  /**
   * The same for a request with a cookie that may change something, or whose answer a page could read. A page of another site
   * may still link to a GET or embed one, whose answer the browser hides from the page.
   * @throws crossSite
   */
  refuseForgery(request: FastifyRequest): void;
}

/** @param origins this service's origin, and those that may call it. Only web pages among them may use cookies */
export function createSiteCheck(
  origins: readonly string[],
  { isProxy, detail }: SiteOptions = {},
): SiteCheck {
  const trusted = new Set(origins.filter(isWebOrigin));
  const apps = new Set(origins.filter((origin) => !isWebOrigin(origin)));

  function refuseCrossSite(request: FastifyRequest, why = detail): void {
    const { origin, 'sec-fetch-site': site } = request.headers;
    if (site === 'same-origin') return;
    // `none` is the user, at the address bar or by sharing to an app. Of an extension browsers say `none` too, with its origin.
    if (site === 'none' && (origin === undefined || origin === 'null')) return;
    if (site === undefined && origin === undefined) return;
    if (origin === undefined || !trusted.has(origin))
      throw crossSite({ detail: why ?? explain(origin, site), reason: reasonOf(request) });
  }

  /** For the log. */
  function reasonOf({ headers, method }: FastifyRequest): () => string {
    const { origin, 'sec-fetch-site': site } = headers;
    const sent = () => `${method} with Sec-Fetch-Site ${quoted(site)}, Origin ${quoted(origin)}`;
    const expected = () =>
      trusted.size > 0 ? `an Origin of ${[...trusted].join(', ')}` : 'none of another origin';
    return () => `cookie refused as another site’s: ${sent()}, expected ${expected()}`;
  }

  return {
    refuseCrossSite: (request) => refuseCrossSite(request),
    refuseUnkeptCookies(request) {
      const { origin, 'sec-fetch-site': site } = request.headers;
      if (!SITES_WITH_COOKIES.includes(site) || (origin !== undefined && apps.has(origin)))
        throw crossSite({ detail: UNKEPT_COOKIES, reason: reasonOf(request) });
      refuseCrossSite(request);
    },
    refuseForgery(request) {
      const { headers, method, raw } = request;
      // Both usual names are read, since a client may have sent the one that its proxy does not set.
      const { 'x-forwarded-method': forwarded, 'x-original-method': original } = headers;
      if (forwarded === undefined && original === undefined && isProxy?.(String(raw.socket.remoteAddress)))
        refuseCrossSite(request, UNNAMED_METHOD);
      else if (
        headers.origin !== undefined || // the browser sends it for every page that could read the answer
        !(isSafe(method) && isSafe(forwarded) && isSafe(original)) ||
        isHandshake(headers)
      )
        refuseCrossSite(request);
    },
  };
}

function isSafe(method: string | string[] | undefined): boolean {
  return method === undefined || SAFE_METHODS.has(String(method));
}
