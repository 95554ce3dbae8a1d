import type { FastifyReply } from 'fastify';

/**
 * Aborts when the client goes away without its answer. Fastify's own `request.signal` aborts as soon as the body has
 * arrived.
 */
export function clientOf(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller.signal;
}
