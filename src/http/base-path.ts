import type { IncomingMessage } from 'node:http';

/**
 * For `rewriteUrl` of Fastify: takes the base path off where the proxy left it on. Then routes and DPoP proofs are the
 * same behind both kinds of proxy: a proof is for `publicUrl` and the route, whether or not the base path arrived here.
 */
export function createBasePathRemover(basePath: string): (request: IncomingMessage) => string {
  return (request) => {
    // A server has to take the absolute form too (RFC 9112 §3.2.2). Its scheme and host are cut.
    const url = request.url?.replace(/^https?:\/\/[^/?#]*/i, '') || '/';
    const rest = url.slice(basePath.length);
    const isBelow = url.startsWith(basePath) && /^(?:$|[/?])/.test(rest);
    const route = isBelow ? rest.replace(/^(?!\/)/, '/') : url;
    Object.assign(request, { originalUrl: route }); // Fastify has noted here the address that arrived
    return route;
  };
}
