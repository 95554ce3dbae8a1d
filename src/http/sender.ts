import type { FastifyRequest } from 'fastify';
import type { Sender } from '../events/events.ts';
import { clientAddress } from './client-address.ts';

/** Where a request came from, for the event that it brings about. */
export function senderOf(request: FastifyRequest): Sender {
  return { address: clientAddress(request), request_id: request.id };
}
