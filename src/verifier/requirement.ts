import { z } from 'zod';
import { requireRecentLogin, requireRole } from '../authentication.ts';
import type { Clock } from '../base/clock.ts';
import { quoted } from '../base/log-text.ts';
import { StartupError } from '../base/startup-error.ts';
import type { AccessClaims } from '../proofs/tokens/claims.ts';
import { describe } from './options.ts';
import { insufficientScope } from './problems.ts';

const ROLES = 'a list of roles, of which one is enough';
const MAX_AGE = 'a number of seconds';

const Requirement = z.strictObject({
  /** The user has at least one of these roles. */
  roles: z.array(z.string(ROLES).min(1, ROLES), ROLES).min(1, ROLES).optional(),
  /** The token has all of these scopes, separated by blanks (RFC 6749 §3.3). */
  scope: z
    .string('scopes separated by blanks')
    .regex(/^[!#-[\]-~]+(?: [!#-[\]-~]+)*$/, 'scopes separated by blanks')
    .optional(),
  /** The user logged in at most so many seconds ago. A refresh is no login (RFC 9470). */
  maxAge: z.int(MAX_AGE).nonnegative(MAX_AGE).optional(),
});

/** What a route requires besides a login. */
export type Requirement = z.infer<typeof Requirement>;

/**
 * A check of claims. Unknown names are refused where a route is declared: with `role` instead of `roles` the route would be open to
 * every user.
 * @throws StartupError
 */
export function createRequirement(given: Requirement, clock: Clock): (claims: AccessClaims) => void {
  const { data, error } = Requirement.safeParse(given);
  if (!data) throw new StartupError(describe('requireLogin', error.issues[0]));
  const { roles, scope, maxAge } = data;
  const scopes = scope?.split(' ') ?? [];
  return (claims) => {
    const granted = claims.scope.split(' ');
    if (scope !== undefined && !scopes.every((name) => granted.includes(name)))
      throw insufficientScope({
        challenge: { scope },
        reason: () => `the scopes are ${quoted(claims.scope)}, needed are ${quoted(scope)}`,
      });
    if (roles) requireRole(claims, roles);
    if (maxAge !== undefined) requireRecentLogin(claims, maxAge, clock);
  };
}
