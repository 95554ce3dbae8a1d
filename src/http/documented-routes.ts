import type { FastifyInstance } from 'fastify';
import type { DocumentedRoute, DocumentTexts, OpenApiTexts } from './openapi.ts';
import type { RouteSchema } from './route-schema.ts';

export interface DocumentOptions {
  /** The path under which clients reach all routes. */
  basePath: string;
  /** Whether the routes of a scope need a login. */
  isLocked(scope: FastifyInstance): boolean;
  /** What the document says besides its routes. */
  texts(): Promise<DocumentTexts>;
}

/**
 * Collects the routes that are registered from now on. Call the result once the app is ready: the first call loads the
 * writer and writes the document, later calls give the same one.
 */
export function documentRoutes(
  app: FastifyInstance,
  { basePath, isLocked, texts }: DocumentOptions,
): () => Promise<OpenApiTexts> {
  const routes: DocumentedRoute[] = [];
  app.addHook('onRoute', function (route) {
    const schema = route.schema as RouteSchema | undefined;
    if (schema?.operationId && route.method !== 'HEAD') {
      const method = String(route.method).toLowerCase();
      routes.push({ method, url: route.url, schema, isLocked: isLocked(this) });
    }
  });
  async function write(): Promise<OpenApiTexts> {
    const { writeOpenApi } = await import('./openapi.ts');
    return writeOpenApi(routes, basePath, await texts());
  }
  let written: Promise<OpenApiTexts> | undefined;
  return () => {
    written ??= write();
    return written;
  };
}
