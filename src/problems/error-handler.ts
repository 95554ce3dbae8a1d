import { STATUS_CODES, validateHeaderName, validateHeaderValue } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyBaseLogger, FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { clientAddress, normalizeAddress } from '../client-address.ts';
import { printable } from '../log-text.ts';
import {
  headersTooLarge,
  internalError,
  invalidRequest,
  methodNotAllowed,
  notFound,
  overloaded,
  payloadTooLarge,
  requestTimeout,
  unsupportedMediaType,
  uriTooLong,
} from './catalogue.ts';
import { Problem, type ProblemOptions } from './problem.ts';
import { logRefusal } from './refusal-log.ts';
import { replyWithProblem } from './reply.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** Answers whatever was thrown as `application/problem+json`, and every unknown address or method too. */
export function handleProblems(app: FastifyInstance): void {
  app.setErrorHandler((error: unknown, request, reply) => {
    const problem = toProblem(error);
    if (problem.kind === internalError.kind) removeUnsendable(reply);
    return sendProblem(problem, request, reply);
  });
  app.setNotFoundHandler((request, reply) => {
    // Not `hasRoute`: it takes a pattern, and a stranger's address with ":" or "*" in it would be read as one.
    const allowed = METHODS.filter((method) => app.findRoute({ method, url: request.url }) !== null);
    const problem =
      allowed.length === 0 ? notFound() : methodNotAllowed({ headers: { allow: allowed.join(', ') } });
    return sendProblem(problem, request, reply);
  });
}

/** A header that Node does not send would fail this answer too, and Fastify's own would stand in its place. */
function removeUnsendable(reply: FastifyReply): void {
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    try {
      validateHeaderName(name);
      for (const each of [value].flat()) validateHeaderValue(name, each as string);
    } catch {
      reply.removeHeader(name);
    }
  }
}

/** For the errors that Fastify meets before there is a route. */
export function answerFrameworkError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  sendProblem(toProblem(error), request, reply);
}

/**
 * For the errors that Node meets before there is a request.
 * @param headers those of every answer
 * @param log that of the request, which has its id
 */
export function answerClientError(
  error: Error & { code?: string; reason?: string },
  socket: Socket,
  headers: Readonly<Record<string, string>>,
  log: FastifyBaseLogger,
): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = connectionProblems[error.code ?? '']?.() ?? invalidRequest();
  const body = JSON.stringify(problem);
  const { status, slug } = problem.kind;
  const reason = error.reason ?? error.code;
  log.debug({
    event: 'request.refused',
    status,
    problem: slug,
    reason,
    address: normalizeAddress(socket.remoteAddress),
  });
  const lines = Object.entries({
    ...headers,
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
}

const connectionProblems: Record<string, () => Problem> = {
  HPE_HEADER_OVERFLOW: headersTooLarge,
  ERR_HTTP_REQUEST_TIMEOUT: requestTimeout,
};

const frameworkProblems: Record<number, (options: ProblemOptions) => Problem> = {
  400: (options) =>
    invalidRequest({ ...options, detail: 'The request is malformed: send valid JSON and a valid address.' }),
  408: requestTimeout,
  413: payloadTooLarge,
  414: uriTooLong,
  415: unsupportedMediaType,
  431: headersTooLarge,
};

/** The message of an error that is not ours may repeat the input, so none is passed on. */
function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const { statusCode, code } = Object(error) as Partial<FastifyError>;
  const known = statusCode === undefined ? undefined : frameworkProblems[statusCode];
  return known?.({ reason: () => printable(String(code)) }) ?? internalError({ cause: error });
}

function sendProblem(problem: Problem, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { kind } = problem;
  if (kind === overloaded.kind) {
    request.log.warn({ event: 'attempts.turned-away', address: clientAddress(request) }); // no stack for each one of a flood
  } else if (kind.status >= 500) {
    request.log.error({
      event: 'request.failed',
      address: clientAddress(request),
      problem: kind.slug,
      err: problem.cause ?? problem,
    });
  }
  // A guessing attack must not vanish from the log once it is slowed down.
  if (kind.status === 429) request.log.warn({ event: 'attempts.limited', address: clientAddress(request) });
  logRefusal(problem, request.log, { event: 'request.refused', address: clientAddress(request) });
  return replyWithProblem(problem, request, reply);
}
