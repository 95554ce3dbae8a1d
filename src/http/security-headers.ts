import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { invalidRequest } from './problems.ts';

/** The same on every answer of an API that no page embeds. `Cache-Control` is overridden where caching is meant. */
export const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

export function setSecurityHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    setCommonHeaders(request, reply);
    // RFC 9112 §3.2 demands the header. Node's own answer would lack the headers of idcard.
    if (request.raw.headers.host === undefined && request.raw.httpVersion === '1.1')
      throw invalidRequest({
        headers: { connection: 'close' },
        detail: 'The request has no Host header, which HTTP/1.1 demands.',
      });
    done();
  });
}

/** Sets the headers that every answer has. */
export function setCommonHeaders(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply.headers(SECURITY_HEADERS).header('x-request-id', request.id);
}
