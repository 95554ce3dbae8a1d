import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ReceivedAttempt } from '../attempts/attempts.ts';
import { clientOf } from '../http/client.ts';
import { clientAddress } from '../http/client-address.ts';

/** An attempt at an account by whoever sent the request. */
export function attemptOf(
  request: FastifyRequest,
  reply: FastifyReply,
  account: string,
  device?: string,
): ReceivedAttempt {
  return {
    address: clientAddress(request),
    account,
    device,
    client: clientOf(reply),
    tell: (headers) => void reply.headers(headers),
  };
}

/** What the answers of a route that counts attempts say, for its document. */
export const answerHeaders = {
  'RateLimit-Policy': 'How many attempts from one address are free, and in how many seconds.',
  RateLimit:
    'How many are left to this address (r), and for how many seconds (t); once the attempt was counted.',
};
