import type { FastifyInstance } from 'fastify';

/**
 * Bodies are JSON only, so that a form of another site cannot post (415). A client that announces JSON and sends
 * nothing, as many do on `POST` without arguments, sends nothing.
 */
export function acceptJsonOnly(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error'); // `__proto__` and `constructor.prototype` are errors
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else parse(request, String(body), done);
  });
}
