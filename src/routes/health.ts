import { z } from 'zod';
import type { RouteSchema } from '../http/route-schema.ts';
import type { App } from '../http/zod.ts';
import { unavailable } from '../problems/catalogue.ts';
import type { RouteDependencies } from './dependencies.ts';

const Health = z.object({ status: z.literal('ok') }).meta({ id: 'Health' });
const ok = { status: 'ok' } as const;

const livez = {
  operationId: 'getLiveness',
  summary: 'Whether the process runs',
  tags: ['Operations'],
  security: [],
  response: { 200: Health },
  documents: { 200: { description: 'It runs.', example: ok } },
  problems: [],
} satisfies RouteSchema;

const readyz = {
  operationId: 'getReadiness',
  summary: 'Whether it should be given requests',
  tags: ['Operations'],
  security: [],
  response: { 200: Health },
  documents: { 200: { description: 'It should.', example: ok } },
  problems: [unavailable],
} satisfies RouteSchema;

/** @param lifecycle says when the process has been asked to stop, so that a balancer looks elsewhere */
export function healthRoutes(
  app: App,
  { directory, lifecycle }: Pick<RouteDependencies, 'directory' | 'lifecycle'>,
): void {
  app.get('/livez', { schema: livez }, async () => ok);
  app.get('/readyz', { schema: readyz }, async () => {
    if (lifecycle.stopping) throw unavailable({ detail: 'This replica is stopping.', retryAfterSeconds: 1 });
    await directory.ping();
    return ok;
  });
}
