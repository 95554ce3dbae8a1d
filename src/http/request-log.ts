import type { FastifyInstance, FastifyRequest } from 'fastify';
import { logsDebug, printable, publicPart } from '../base/log-text.ts';
import { clientAddress } from './client-address.ts';

const LONGEST_PATH = 256;

/**
 * Logs a line for each request, where the log has the level debug. The line leaves out the query string, where some
 * clients put tokens.
 * @param subjectOf who is logged in, if that is known
 */
export function logRequests(
  app: FastifyInstance,
  subjectOf: (request: FastifyRequest) => string | undefined,
): void {
  if (!logsDebug(app.log)) return;
  app.addHook('onResponse', (request, reply, done) => {
    request.log.debug({
      event: 'request.answered',
      method: request.method,
      path: pathOf(request.originalUrl),
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      address: clientAddress(request),
      sub: subjectOf(request),
    });
    done();
  });
}

function pathOf(url: string): string {
  return printable(publicPart(url).slice(0, LONGEST_PATH));
}
