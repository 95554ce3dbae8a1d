import type { IncomingMessage } from 'node:http';

/**
 * For `rewriteUrl` of Fastify: takes the path off where the proxy left it on. Routes and DPoP proofs are then the same behind
 * both kinds of proxy: a proof is for `publicUrl` and the route, whatever of it arrived here.
 */
export function createBasePathRemover(basePath: string): (request: IncomingMessage) => string {
  return (request) => {
    // The absolute form too, which a server has to take (RFC 9112 §3.2.2), less its scheme and host.
    const url = request.url?.replace(/^https?:\/\/[^/?#]*/i, '') || '/';
    const rest = url.slice(basePath.length);
    const isBelow = url.startsWith(basePath) && /^(?:$|[/?])/.test(rest);
    const route = isBelow ? rest.replace(/^(?!\/)/, '/') : url;
    Object.assign(request, { originalUrl: route }); // where Fastify has noted what arrived
    return route;
  };
}
