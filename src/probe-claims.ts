import { inTime } from './base/in-time.ts';
import { StartupError } from './base/startup-error.ts';
import type { ClaimsFunction } from './logins.ts';
import { type CustomClaims, ownNameAmong } from './proofs/tokens/claims.ts';
import type { User } from './users/user.ts';

/** A user whom no directory has. */
const PROBE: User = {
  id: '00000000-0000-7000-8000-000000000000',
  email: 'nobody@idcard.invalid', // RFC 2606 §2
  emailVerified: true,
  passwordHash: null,
  roles: [],
  status: 'active',
  tokenVersion: 1,
  createdAtSeconds: 0,
};

/** How long a start waits for a function that looks users up in another system, which may be away. */
const LONGEST_MS = 1000;

/**
 * Asks for the claims of `PROBE`, so that a claim name of idcard's own fails the start, and not the first login.
 * @throws StartupError
 */
export async function probeClaims(customClaims: ClaimsFunction): Promise<void> {
  const ask = async (): Promise<CustomClaims | undefined> => customClaims({ ...PROBE });
  const claims = await inTime(LONGEST_MS, ask()).catch(() => undefined); // the function may refuse a user whom it does not know
  const name = ownNameAmong(claims ?? {});
  if (name === undefined) return;
  throw new StartupError(
    `customClaims gives the claim ${name}, which is idcard's own: give it another name, such as app_${name}.`,
  );
}
