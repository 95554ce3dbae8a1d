import type { FastifyBaseLogger } from 'fastify';
import { logsDebug } from '../base/log-text.ts';
import type { Problem } from './problem.ts';

/**
 * Logs at the level debug why a request was refused. The client is not told: a stranger who tries tokens could learn from
 * it.
 * @param fields further fields of the line
 */
export function logRefusal(
  problem: Problem,
  log: FastifyBaseLogger,
  { event, ...fields }: { event: string; address?: string | undefined },
): void {
  const { status, slug } = problem.kind;
  if (problem.reason === undefined && status !== 401 && status !== 403) return;
  if (!logsDebug(log)) return;
  const reason = problem.reason?.() ?? problem.message;
  log.debug({ event, status, problem: slug, reason, ...fields });
}
