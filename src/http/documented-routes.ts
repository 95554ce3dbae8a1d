import type { FastifyInstance, RouteOptions } from 'fastify';
import type { DocumentedRoute, OpenApiTexts } from './openapi.ts';
import type { RouteSchema } from './route-schema.ts';

/**
 * Collects the routes that are registered from now on; call the result once the app is ready. It is written once, when
 * somebody asks for it, and what writes it is loaded then.
 * @param basePath the path under which clients reach all of them
 */
export function documentRoutes(app: FastifyInstance, basePath: string): () => Promise<OpenApiTexts> {
  const routes: DocumentedRoute[] = [];
  app.addHook('onRoute', (route: RouteOptions) => {
    const schema = route.schema as RouteSchema | undefined;
    if (schema?.operationId && route.method !== 'HEAD') {
      routes.push({ method: String(route.method).toLowerCase(), url: route.url, schema });
    }
  });
  let texts: Promise<OpenApiTexts> | undefined;
  return () => {
    texts ??= import('./openapi.ts').then(({ writeOpenApi }) => writeOpenApi(routes, basePath));
    return texts;
  };
}
