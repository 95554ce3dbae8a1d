import { argon2id } from 'argon2';

/** The defaults of idcard: RFC 9106 with the parameters of OWASP. */
export const ARGON2 = { type: argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

export const PASSWORD = 'violet otters play chess';
