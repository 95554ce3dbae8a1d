import { STATUS_CODES, validateHeaderName, validateHeaderValue } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyBaseLogger, FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { codeOf } from '../base/error-code.ts';
import { printable } from '../base/log-text.ts';
import type { Events } from '../events/events.ts';
import { internalError } from '../problems/general.ts';
import { Problem, type ProblemOptions } from '../problems/problem.ts';
import { logRefusal } from '../problems/refusal-log.ts';
import { replyWithProblem } from '../problems/reply.ts';
import { shownOrigin } from '../problems/shown-origin.ts';
import { clientAddress, normalizeAddress } from './client-address.ts';
import {
  headersTooLarge,
  invalidRequest,
  methodNotAllowed,
  notFound,
  payloadTooLarge,
  requestTimeout,
  unsupportedMediaType,
  uriTooLong,
} from './problems.ts';
import { senderOf } from './sender.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/**
 * Answers whatever was thrown as `application/problem+json`, and every unknown address or method too.
 * @param guide the address of the page or document that lists the routes
 */
export function handleProblems(app: FastifyInstance, guide: string, events: Events): void {
  app.setErrorHandler((error: unknown, request, reply) => {
    const problem = isOfQuery(error) ? noSuchRoute(request) : toProblem(error, request);
    if (internalError.is(problem)) removeUnsendable(reply);
    return sendProblem(problem, request, reply, events);
  });
  app.setNotFoundHandler((request, reply) => sendProblem(noSuchRoute(request), request, reply, events));

  function noSuchRoute(request: FastifyRequest): Problem {
    // Not `hasRoute`: it takes a pattern, and would read ":" or "*" in a stranger's address as one.
    const allowed = METHODS.filter((method) => app.findRoute({ method, url: request.url }) !== null);
    return allowed.length === 0
      ? notFound({ detail: `There is nothing at this address; ${guide} shows what there is.` })
      : methodNotAllowed({ headers: { allow: allowed.join(', ') }, detail: wrongMethod(request, allowed) });
  }
}

/** Fastify refuses a QUERY without a Content-Type before anything else, and no route takes that method. */
function isOfQuery(error: unknown): boolean {
  return codeOf(error) === 'FST_ERR_ROUTE_MISSING_CONTENT_TYPE';
}

/** A preflight ends here when the page that made it may not call. */
function wrongMethod({ method, headers }: FastifyRequest, allowed: readonly string[]): string {
  const { origin, 'access-control-request-method': wanted } = headers;
  if (method === 'OPTIONS' && origin !== undefined && wanted !== undefined)
    return `Pages of the origin ${shownOrigin(origin)} may not call: the operator lists those that may in ALLOWED_ORIGINS.`;
  return `This address takes ${allowed.join(', ')}, and not ${method}.`;
}

/** Removes headers that Node refuses to send: they would fail this answer too, and Fastify would send one of its own. */
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

/** Answers errors that Fastify meets before there is a route. */
export function answerFrameworkError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  events: Events,
): void {
  sendProblem(toProblem(error, request), request, reply, events);
}

/**
 * Answers errors that Node meets before there is a request.
 * @param headers of every answer
 * @param log of the request, with its id
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
  const reason = () => String(error.reason ?? error.code);
  const problem =
    connectionProblems[error.code ?? '']?.({ reason }) ?? invalidRequest({ detail: NO_HTTP, reason });
  logRefusal(problem, log, { event: 'request.refused', address: normalizeAddress(socket.remoteAddress) });
  const body = JSON.stringify(problem);
  const { status } = problem.kind;
  const lines = Object.entries({
    ...headers,
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
}

const NO_HTTP =
  'What arrived is no HTTP request that can be read in one way alone. TLS (https) is spoken by the proxy in front, and not by this port.';

const connectionProblems: Record<string, (options: ProblemOptions) => Problem> = {
  HPE_HEADER_OVERFLOW: headersTooLarge,
  ERR_HTTP_REQUEST_TIMEOUT: requestTimeout,
};

type ProblemOf = (request: FastifyRequest, reason: Pick<ProblemOptions, 'reason'>) => Problem;

const frameworkProblems: Record<number, ProblemOf> = {
  400: (_request, reason) =>
    invalidRequest({
      ...reason,
      detail: 'The request is malformed: its address or the length of its body is not valid.',
    }),
  408: (_request, reason) => requestTimeout(reason),
  413: (_request, reason) => payloadTooLarge(reason),
  414: (_request, reason) => uriTooLong(reason),
  415: ({ headers }, reason) =>
    unsupportedMediaType({ ...reason, detail: wrongMediaType(headers['content-type']) }),
  431: (_request, reason) => headersTooLarge(reason),
};

/** Types that clients send by mistake. The answer repeats no other type. */
const USUAL_TYPES = [
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  'text/plain',
  'text/html',
  'text/json',
  'application/xml',
  'text/xml',
  'application/octet-stream',
  'application/graphql',
  'application/ld+json',
];

function wrongMediaType(sent: string | undefined): string {
  const usual = USUAL_TYPES.find((type) => sent?.toLowerCase().startsWith(type));
  const what = sent ? `is sent as ${usual ?? 'another type'}` : 'has no Content-Type';
  return `The body ${what}: send JSON, with "Content-Type: application/json".`;
}

/** Only a Problem keeps its message: the message of any other error may repeat the input. */
function toProblem(error: unknown, request: FastifyRequest): Problem {
  if (error instanceof Problem) return error;
  const { statusCode, code } = Object(error) as Partial<FastifyError>;
  const known = statusCode === undefined ? undefined : frameworkProblems[statusCode];
  return known?.(request, { reason: () => printable(String(code)) }) ?? internalError({ cause: error });
}

function sendProblem(
  problem: Problem,
  request: FastifyRequest,
  reply: FastifyReply,
  events: Events,
): FastifyReply {
  const { event, slug } = problem.kind;
  if (event === 'request.failed')
    events.tell(event, { problem: slug, err: problem.cause ?? problem, ...senderOf(request) });
  else if (event) events.tell(event, senderOf(request));
  logRefusal(problem, request.log, { event: 'request.refused', address: clientAddress(request) });
  return replyWithProblem(problem, request, reply);
}
