import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify';
import type { Attempts, ReceivedAttempt } from '../attempts/attempts.ts';
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

/** Refuses what is too much before its body is read: of a flood, most end here, and leave little for the memory to keep. */
export function refuseWhenFull(attempts: Attempts): onRequestHookHandler {
  return (_request, _reply, done) => {
    attempts.refuseWhenFull();
    done();
  };
}

/** What the answers of a route that counts attempts say, for its document. */
export const answerHeaders = {
  'RateLimit-Policy': 'How many attempts from one address are free, and in how many seconds.',
  RateLimit:
    'How many are left to this address (r), and for how many seconds (t); once the attempt was counted.',
};
