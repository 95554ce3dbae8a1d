import Fastify, { type FastifyInstance } from 'fastify';
import { type IdcardOptions, idcard } from '../../src/verifier/index.ts';

export interface Service {
  app: FastifyInstance;
  /** Every line of its log so far, parsed. */
  logLines: () => Record<string, unknown>[];
}

/** A service of somebody else, with its own error handler, and a log that can be read. */
export async function createService(options: IdcardOptions): Promise<Service> {
  const lines: string[] = [];
  const app = Fastify({
    logger: { level: 'info', stream: { write: (line: string) => void lines.push(line) } },
  });
  app.setErrorHandler((_error, _request, reply) => reply.code(500).send('the error handler of the service'));
  await app.register(idcard, options);
  const preHandler = app.requireLogin();
  for (const url of ['/v1/verify', '/v1/me']) app.get(url, { preHandler }, (request) => request.claims);
  app.post('/v1/logout-everywhere', { onRequest: preHandler }, (request) => request.claims);
  app.get('/admin', { preHandler: app.requireLogin({ roles: ['admin', 'owner'] }) }, async () => 'admin');
  app.get('/books', { preHandler: app.requireLogin({ scope: 'account books' }) }, async () => 'books');
  app.get('/recent', { preHandler: app.requireLogin({ maxAge: 60 }) }, async () => 'recent');
  app.get('/open', (request) => request.claims);
  await app.register(async (locked) => {
    locked.addHook('onRequest', locked.requireLogin());
    locked.get('/locked', async (request) => request.transport);
    const preHandler = locked.requireLogin({ roles: ['admin'] });
    locked.get<{ Querystring: { page: string } }>('/locked/admin', { preHandler }, (request) => ({
      sub: request.claims.sub,
      page: request.query.page,
    }));
  });
  return { app, logLines: () => lines.map((line) => JSON.parse(line)) };
}
