import { z } from 'zod';

export const MAX_ROLES = 16;

/** The name of a role, safe in a header and in a list separated by commas. */
export const Role = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9_:.-]{0,31}$/,
    'Must be 1 to 32 of a-z, 0-9, "_", ":", "." and "-", not starting with a sign',
  );

export interface User {
  /** UUIDv7 (RFC 9562 §5.7) */
  id: string;
  email: string;
  emailVerified: boolean;
  /** Absent when the user cannot log in by password. */
  passwordHash: string | null;
  roles: readonly string[];
  /** The row of a deleted user is kept for a while, so that every replica hears of the deletion. */
  status: 'active' | 'disabled' | 'deleted';
  /** Every token carries the version it was issued under. Raising the version voids older tokens. */
  tokenVersion: number;
  createdAtSeconds: number;
}

/** The address that may leave idcard as an identity: only a verified one, since anybody can register any address. */
export function verifiedEmail({ email, emailVerified }: User): string | undefined {
  return emailVerified === true ? email : undefined; // a directory in JavaScript may return any value
}
