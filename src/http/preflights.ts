import type { FastifyRequest } from 'fastify';
import { isHandshake } from '../base/handshake.ts';
import type { App } from './zod.ts';

/**
 * For CORS preflights of an application behind a proxy. A browser sends them without credentials, so that none would get past
 * the login. Where the proxy's file says `?preflight=pass`, one is answered 204, which proxies take as leave to pass, and which
 * names nobody. To be registered before the authentication. A client writes its own headers, so that only a proxy is believed.
 * @param isProxy whether one that sets the header of the method is at this address
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
 * Fetch §3.3.3. Of the two usual names a client may have sent the one that its proxy does not set. What opens a WebSocket is
 * none: some applications do not look at its method.
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
