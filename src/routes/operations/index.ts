import type { House } from '../../house.ts';
import type { OpenApiTexts } from '../../http/openapi.ts';
import type { App } from '../../http/zod.ts';
import { healthRoutes } from './health.ts';
import { openapiRoutes } from './openapi.ts';

/** For everybody who can reach the port: operators of the service, and authors of its clients. */
export async function operationsRoutes(
  app: App,
  house: House,
  openapi: () => Promise<OpenApiTexts>,
): Promise<void> {
  healthRoutes(app, house); // GET /livez, GET /readyz
  openapiRoutes(app, openapi); // GET /openapi.json, GET /openapi.yaml
  if (house.config.server.docsPage) (await import('./docs.ts')).docsRoutes(app); // GET /docs
}
