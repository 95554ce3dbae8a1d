import { z } from 'zod';
import type { Hasher } from './hasher.ts';

/** Room for 64 characters of any script (NIST SP 800-63B-4 §3.1.1.2 asks for 64), and a bound for the hash. */
const MAX_PASSWORD_BYTES = 256;

/** The spellings in which a password may have been hashed: first today's, then the one from before blanks were mapped. */
export type PasswordSpellings = readonly [string, ...string[]];

/** A lone surrogate is refused, since it has no encoding of its own: passwords with different ones would be one password. */
const typed = z
  .string()
  .min(1, 'Must not be empty')
  .refine((text) => text.isWellFormed(), 'Must be well-formed Unicode')
  .refine((text) => fits(opaque(text)), {
    error: `Must have ${MAX_PASSWORD_BYTES} bytes at most in UTF-8`,
    params: { code: 'too-long' },
  })
  .meta({ format: 'password', examples: ['violet otters play chess'] });

/** A new password, as it is hashed; never cut. */
export const Password = typed.overwrite(opaque);

/** The password of somebody who may have an account. */
export const KnownPassword = typed.transform((text): PasswordSpellings => {
  const [password, former] = [opaque(text), text.normalize('NFC')];
  return former !== password && fits(former) ? [password, former] : [password];
});

/**
 * The spelling that belongs to the hash. Each spelling is compared, even where there is no hash: how many hashes a
 * failure costs depends on what was typed alone.
 */
export async function matchingSpelling(
  hasher: Pick<Hasher, 'verify'>,
  storedHash: string | null | undefined,
  spellings: PasswordSpellings,
): Promise<string | undefined> {
  for (const spelling of spellings) if (await hasher.verify(storedHash, spelling)) return spelling;
  return undefined;
}

/**
 * Makes two keyboards agree (RFC 8265 §4.2.2): every blank becomes the ordinary one, such as the no-break space that a
 * Mac types with Option, and letters become NFC. The RFC refuses controls and unassigned characters. Here they are
 * accepted, NUL too, since there are passwords that have them.
 */
function opaque(text: string): string {
  return text.replace(/\p{Zs}/gu, ' ').normalize('NFC');
}

function fits(password: string): boolean {
  return Buffer.byteLength(password) <= MAX_PASSWORD_BYTES;
}
