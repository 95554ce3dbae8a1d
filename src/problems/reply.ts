import type { FastifyReply, FastifyRequest } from 'fastify';
import { challengesOf } from './challenge.ts';
import type { Problem } from './problem.ts';

/** Answers with a problem (RFC 9457), its headers and its challenges. */
export function replyWithProblem(
  problem: Problem,
  request: FastifyRequest,
  reply: FastifyReply,
  options?: { offersDpop: boolean },
): FastifyReply {
  const challenges = challengesOf(problem, request, options);
  if (challenges) reply.header('www-authenticate', challenges);
  return reply
    .code(problem.kind.status)
    .headers(problem.headers)
    .type('application/problem+json')
    .send(JSON.stringify(problem));
}
