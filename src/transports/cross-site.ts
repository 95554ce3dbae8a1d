import type { FastifyRequest } from 'fastify';
import { crossSite } from '../problems/catalogue.ts';

/** RFC 9110 §9.2.1, without TRACE. Whatever else a proxy may name counts as unsafe. */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

export type CrossSiteCheck = (request: FastifyRequest) => void;

/**
 * Refuses requests that a page of another site made. A browser attaches cookies by itself, so a cookie proves who
 * the user is but not that the user wanted this. `Sec-Fetch-Site` says it outright; browsers without it send
 * `Origin`; a client that sends neither is no browser, and nobody can make it send somebody else's cookies.
 * @param ownOrigins this service's origin and those configured to call it with cookies
 * @throws crossSite
 */
export function createCrossSiteCheck(ownOrigins: readonly string[]): CrossSiteCheck {
  const trusted = new Set(ownOrigins);
  return (request) => {
    const site = request.headers['sec-fetch-site'];
    const { origin } = request.headers;
    if (site === 'same-origin' || site === 'none') return;
    if (site === undefined && origin === undefined) return;
    if (origin === undefined || !trusted.has(origin)) throw crossSite();
  };
}

/**
 * Whether the request may change something. Behind a proxy that asks `GET /v1/verify` for each request, the method
 * that counts is the one it names; both usual headers are read, since a client may have sent the other one.
 */
export function isUnsafe(request: FastifyRequest): boolean {
  const named = [request.headers['x-forwarded-method'], request.headers['x-original-method']];
  return [request.method, ...named].some(
    (method) => method !== undefined && !SAFE_METHODS.has(String(method)),
  );
}
