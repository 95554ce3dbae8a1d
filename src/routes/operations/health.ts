import { z } from 'zod';
import type { House } from '../../house.ts';
import type { RouteSchema } from '../../http/route-schema.ts';
import type { App } from '../../http/zod.ts';
import { unavailable } from '../../problems/general.ts';
import { replyWithProblem } from '../../problems/reply.ts';

const Liveness = z.object({ status: z.literal('ok') }).meta({ id: 'Liveness' });
const alive = { status: 'ok' } as const;

const livez = {
  operationId: 'getLiveness',
  summary: 'Whether the process runs',
  tags: ['Operations'],
  response: { 200: Liveness },
  documents: { 200: { description: 'It runs.', example: alive } },
  problems: [],
} satisfies RouteSchema;

const Readiness = z
  .object({
    status: z.enum(['ok', 'degraded']),
    revocation_bound_seconds: z
      .int()
      .meta({ description: 'How long a revoked access token may still work here.' }),
    revocations_age_seconds: z.int().meta({ description: 'Seconds since the directory last answered.' }),
  })
  .meta({ id: 'Readiness' });

const readyz = {
  operationId: 'getReadiness',
  summary: 'Whether it should be given requests',
  description:
    'While the user directory is away the status is "degraded" and still 200: tokens are verified, with revocations ' +
    'bounded by the lifetime of an access token; login and refresh answer 503. A replica that has not reached the user ' +
    'directory since its start is not ready, nor is one that stops.',
  tags: ['Operations'],
  response: { 200: Readiness },
  documents: {
    200: {
      description: 'It should.',
      example: { status: 'ok', revocation_bound_seconds: 2, revocations_age_seconds: 1 },
    },
  },
  problems: [unavailable],
} satisfies RouteSchema;

export function healthRoutes(app: App, { feed, config, lifecycle }: House): void {
  app.get('/livez', { schema: livez }, (_request, reply) => void reply.send(alive));
  app.get('/readyz', { schema: readyz }, async (request, reply) => {
    // The answer makes a balancer look elsewhere; requests that still come are served. It is not thrown: a stop is no
    // failure that the log should tell.
    if (lifecycle.stopping) {
      const stopping = unavailable({ detail: 'This replica is stopping.', retryAfterSeconds: 1 });
      return replyWithProblem(stopping, request, reply);
    }
    // The answer stops a rollout: the replicas that it would replace have reached their user directory.
    if (!feed.hasAnswered())
      throw unavailable({
        detail: 'This replica has not reached its user directory yet.',
        retryAfterSeconds: config.tokens.revocationPollSeconds,
      });
    const isCurrent = feed.isCurrent();
    return {
      status: isCurrent ? ('ok' as const) : ('degraded' as const),
      revocation_bound_seconds: isCurrent
        ? config.tokens.revocationPollSeconds
        : config.tokens.accessTokenTtlSeconds,
      revocations_age_seconds: feed.ageSeconds(),
    };
  });
}
