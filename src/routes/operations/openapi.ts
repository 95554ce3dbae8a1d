import type { OpenApiTexts } from '../../http/openapi.ts';
import type { App } from '../../http/zod.ts';

/** The document leaves these routes out, since it describes what a client calls. */
export function openapiRoutes(app: App, openapi: () => Promise<OpenApiTexts>): void {
  app.get('/openapi.json', async (_request, reply) =>
    reply.type('application/json').send((await openapi()).json),
  );
  app.get('/openapi.yaml', async (_request, reply) =>
    reply.type('application/yaml').send((await openapi()).yaml),
  );
}
