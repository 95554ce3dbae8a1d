import { z } from 'zod';
import type { User } from '../users/user.ts';

/** What users may know of themselves: not the password hash, and not the token version. */
export const UserResponse = z
  .object({
    id: z.string().meta({ format: 'uuid' }),
    email: z.string().meta({ format: 'idn-email' }),
    email_verified: z.boolean(),
    roles: z.array(z.string()),
    created_at: z.string().meta({ format: 'date-time' }),
  })
  .meta({ id: 'User' });

export function toUserResponse(user: User): z.infer<typeof UserResponse> {
  return {
    id: user.id,
    email: user.email,
    email_verified: user.emailVerified,
    roles: [...user.roles],
    created_at: new Date(user.createdAtSeconds * 1000).toISOString(),
  };
}
