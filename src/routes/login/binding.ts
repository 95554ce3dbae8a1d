import type { FastifyReply, FastifyRequest } from 'fastify';
import { invalidDpopProof } from '../../proofs/dpop/problems.ts';
import type { RouteDependencies } from '../dependencies.ts';

type Dependencies = Pick<RouteDependencies, 'config' | 'dpop' | 'transports'>;

/**
 * The key that new tokens shall be bound to: the one that made the request's proof (RFC 9449 §5).
 * @returns its thumbprint; undefined when the client sent no proof, and then the tokens are for the bearer
 * @throws invalidDpopProof, dpopNonceRequired
 */
export function receiveBinding(
  request: FastifyRequest,
  reply: FastifyReply,
  { config, dpop, transports }: Dependencies,
): string | undefined {
  const proof = transports.receiveProof(request);
  if (proof === undefined) {
    if (config.requireDpop)
      throw invalidDpopProof.login({
        detail: 'REQUIRE_DPOP is on here: send a DPoP proof (RFC 9449) in the header DPoP.',
      });
    return undefined;
  }
  const jkt = dpop.verifyProof(proof, { method: request.method, url: request.url });
  reply.header('dpop-nonce', dpop.nonce());
  return jkt;
}
