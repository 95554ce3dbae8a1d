import Fastify, { type FastifyBaseLogger, LogController } from 'fastify';
import { basePathOf } from '../base/issuer.ts';
import type { Config } from '../config/config.ts';
import type { Events } from '../events/events.ts';
import { createBasePathRemover } from './base-path.ts';
import { answerClientError, answerFrameworkError } from './error-handler.ts';
import { LIMITS } from './limits.ts';
import { createRequestIds } from './request-ids.ts';
import { SECURITY_HEADERS, setCommonHeaders } from './security-headers.ts';
import { type App, serializerCompiler, validatorCompiler, type ZodTypeProvider } from './zod.ts';

/**
 * Fastify with the limits, the ids and the schemas of idcard, and no route yet.
 * @param isProxy whether a trusted proxy is at this address; absent where there are none
 */
export function createServer(
  settings: Pick<Config['server'], 'publicUrl' | 'keepAliveSeconds'>,
  logger: FastifyBaseLogger,
  events: Events,
  isProxy?: (address: string) => boolean,
): App {
  const basePath = basePathOf(settings.publicUrl);
  const requestIds = createRequestIds(isProxy);
  const app = Fastify({
    ...LIMITS,
    ...(basePath && { rewriteUrl: createBasePathRemover(basePath) }),
    keepAliveTimeout: settings.keepAliveSeconds * 1000,
    loggerInstance: logger,
    // Fastify's line for each request would hold the query string, and halve the speed.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    genReqId: requestIds.of,
    trustProxy: isProxy ?? false,
    return503OnClosing: false, // keep-alive clients get an answer until the last moment
    frameworkErrors: (error, request, reply) =>
      answerFrameworkError(error, request, setCommonHeaders(request, reply), events),
    clientErrorHandler(error, socket) {
      const id = requestIds.next();
      const headers = { ...SECURITY_HEADERS, 'x-request-id': id };
      answerClientError(error, socket, headers, logger.child({ request_id: id }));
    },
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  // A server may ignore an expectation that it does not know (RFC 9110 §10.1.1). Node's own refusal would lack the
  // headers of idcard.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
  return app;
}
