import { type OpenApiDocument, toYaml } from '../http/openapi.ts';
import type { App } from '../http/zod.ts';

/** Not in the document itself, which describes what a client calls. */
export function openapiRoutes(app: App, getDocument: () => OpenApiDocument): void {
  app.get('/openapi.json', async (_request, reply) =>
    reply.type('application/json').send(JSON.stringify(getDocument())),
  );
  app.get('/openapi.yaml', async (_request, reply) =>
    reply.type('application/yaml').send(toYaml(getDocument())),
  );
}
