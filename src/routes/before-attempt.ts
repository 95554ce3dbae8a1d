import type { onRequestHookHandler } from 'fastify';
import type { Attempts } from '../attempts/attempts.ts';

/** Refuses what is too much before its body is read: of a flood, most end here, and leave little for the memory to keep. */
export function beforeAttempt(attempts: Attempts): onRequestHookHandler {
  return (_request, _reply, done) => {
    attempts.refuseWhenFull();
    done();
  };
}
