import { inTime } from './base/in-time.ts';
import { StartupError } from './base/startup-error.ts';
import type { ClaimsFunction } from './logins.ts';
import { type CustomClaims, ownNameAmong } from './proofs/tokens/claims.ts';
import type { User } from './users/user.ts';

/** Nobody: whoever looks this user up finds none. */
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

/** A start does not wait for what looks users up in a system that is away. */
const LONGEST_MS = 1000;

/**
 * Asks for the claims of nobody, so that a name of idcard's own is refused at the start, and not to the first user who logs in.
 * @throws StartupError
 */
export async function probeClaims(customClaims: ClaimsFunction): Promise<void> {
  const ask = async (): Promise<CustomClaims | undefined> => customClaims({ ...PROBE });
  const claims = await inTime(LONGEST_MS, ask()).catch(() => undefined); // it may know nobody of this name
  const name = ownNameAmong(claims ?? {});
  if (name === undefined) return;
  throw new StartupError(
    `customClaims gives the claim ${name}, which is idcard's own: give it another name, such as app_${name}.`,
  );
}
