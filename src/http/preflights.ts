import type { FastifyRequest } from 'fastify';
import { isHandshake } from '../base/handshake.ts';
import type { App } from './zod.ts';

/**
 * Answers CORS preflights of an application behind a proxy. A browser sends a preflight without credentials, so none
 * would get past the login. Where the proxy's configuration says `?preflight=pass`, a preflight is answered 204: a proxy
 * takes 204 as leave to pass, and a 204 names nobody. Only a proxy is believed, since a client writes its own headers. To
 * be registered before the authentication.
 * @param isProxy whether a proxy that sets the header of the method is at this address
 */
export function passPreflights(app: App, isProxy: (address: string) => boolean): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { preflight } = request.query as { preflight?: unknown };
    if (preflight === 'pass' && isPreflight(request) && isProxy(request.raw.socket.remoteAddress ?? ''))
      reply.code(204).send();
    else done();
  });
}

/**
 * Fetch §3.3.3. A proxy sets one of the two usual headers for the method, and a client may have sent the other: so both
 * must say OPTIONS. A WebSocket handshake is no preflight: some applications do not look at its method.
 */
function isPreflight({ headers }: FastifyRequest): boolean {
  const methods = [headers['x-forwarded-method'], headers['x-original-method']].filter(
    (method) => method !== undefined,
  );
  return (
    methods.length > 0 &&
    methods.every((method) => method === 'OPTIONS') &&
    Boolean(headers.origin) &&
    Boolean(headers['access-control-request-method']) &&
    !isHandshake(headers)
  );
}
