import type { FastifyRequest } from 'fastify';
import type { House } from '../house.ts';
import type { User } from '../users/user.ts';

/** Tells of a stored hash that no password matches. Else only a wrong password would show. */
export function tellUnusableHash({ passwords, events }: House, request: FastifyRequest, user?: User): void {
  const reason = passwords.objectionTo(user?.passwordHash);
  if (!user || reason === undefined) return;
  events.tell('password.unusable', {
    sub: user.id,
    reason: `The stored hash ${reason}.`,
    request_id: request.id,
  });
}
