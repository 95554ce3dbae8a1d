import { z } from 'zod';

export const MAX_ROLES = 16;

/** A role's name; safe in a header and a list separated by commas. */
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
  /** A deleted user is kept for a while without any of this, so that every replica hears of it. */
  status: 'active' | 'disabled' | 'deleted';
  /** Every token carries the one it was issued under; raising it voids them. */
  tokenVersion: number;
  createdAtSeconds: number;
}

/** An address that leaves idcard as who the user is: anybody could have registered another. */
export function verifiedEmail({ email, emailVerified }: User): string | undefined {
  return emailVerified === true ? email : undefined; // a directory in JavaScript may say anything
}
