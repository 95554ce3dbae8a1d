import { z } from 'zod';

/** Room for 64 characters of any script (NIST SP 800-63B-4 §3.1.1.2 asks for 64), and a bound for the hash. */
const MAX_PASSWORD_BYTES = 256;

/**
 * A password as it is hashed: NFC, so that two keyboards agree; never cut; any character counts, NUL too.
 * A lone surrogate has no encoding of its own and is refused: two of them would be one password.
 */
export const Password = z
  .string()
  .min(1, 'Must not be empty')
  .refine((password) => password.isWellFormed(), 'Must be well-formed Unicode')
  .overwrite((password) => password.normalize('NFC'))
  .refine((password) => Buffer.byteLength(password) <= MAX_PASSWORD_BYTES, {
    error: `Must have ${MAX_PASSWORD_BYTES} bytes at most in UTF-8`,
    params: { code: 'too-long' },
  })
  .meta({ format: 'password', examples: ['violet otters play chess'] });
