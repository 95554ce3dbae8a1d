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

/**
 * Refuses a request before its body is read, when the queue is full: most requests of a flood end here, and take little
 * memory.
 */
export function refuseWhenFull(attempts: Attempts): onRequestHookHandler {
  return (_request, _reply, done) => {
    attempts.refuseWhenFull();
    done();
  };
}

/** For the document: header fields of the routes that count attempts. */
export const answerHeaders = {
  'RateLimit-Policy': 'How many attempts from one address are free, and in how many seconds.',
  RateLimit:
    'How many are left to this address (r), and for how many seconds (t); once the attempt was counted.',
};
