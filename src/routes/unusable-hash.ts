import type { FastifyBaseLogger } from 'fastify';
import type { Hasher } from '../factors/passwords/hasher.ts';
import type { User } from '../users/user.ts';

/** Whoever sees only a wrong password would never learn that no password is right. */
export function reportUnusableHash(log: FastifyBaseLogger, hasher: Hasher, user: User | undefined): void {
  const reason = user?.passwordHash ? hasher.objectionTo(user.passwordHash) : undefined;
  if (reason) log.warn({ event: 'password.unusable', sub: user?.id, reason: `The stored hash ${reason}.` });
}
