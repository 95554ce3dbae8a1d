import type { FastifyRequest } from 'fastify';
import type { Problem } from './problem.ts';

const DPOP_ALGORITHMS = 'ES256 EdDSA';

/**
 * The `WWW-Authenticate` of a problem (RFC 9110 §11.6.1). It offers both schemes. The error code stands with the scheme
 * that the request used (RFC 6750 §3, RFC 9449 §7.1).
 */
export function challengesOf(
  problem: Problem,
  request: FastifyRequest,
  { offersDpop } = { offersDpop: true },
): string | undefined {
  const code = problem.kind.challenge;
  if (code === undefined) return undefined;
  const error =
    code === null ? {} : { error: code, error_description: problem.message, ...problem.challenge };
  if (!offersDpop) return challenge('Bearer', error);
  const isDpop = code?.includes('dpop') || /^dpop(?: |$)/i.test(request.headers.authorization ?? '');
  const bearer = challenge('Bearer', isDpop ? {} : error);
  const dpop = challenge('DPoP', { algs: DPOP_ALGORITHMS, ...(isDpop && error) });
  return isDpop ? `${dpop}, ${bearer}` : `${bearer}, ${dpop}`;
}

function challenge(scheme: string, parameters: Record<string, string>): string {
  const all = Object.entries({ realm: 'idcard', ...parameters });
  return `${scheme} ${all.map(([name, value]) => `${name}="${value.replaceAll(NOT_QUOTABLE, '')}"`).join(', ')}`;
}

/** RFC 6750 §3: characters that neither a description nor a scope may hold. A quotation mark would end the parameter. */
const NOT_QUOTABLE = /[^ !#-[\]-~]/g;
