import { z } from 'zod';
import type { User } from '../users/user.ts';

/** What a user may know of themselves. The password hash and the token version are not among it. */
export const UserResponse = z
  .object({
    id: z.string().meta({ format: 'uuid' }),
    email: z.string().meta({ format: 'email' }),
    email_verified: z.boolean(),
    roles: z.array(z.string()),
    created_at: z.string().meta({ format: 'date-time' }),
  })
  .meta({ id: 'User' });

export const userExample = {
  id: '019a5b3c-7e1d-7c44-9f0a-3b2c1d0e9f8a',
  email: 'ada@example.com',
  email_verified: false,
  roles: [],
  created_at: '2026-11-23T12:00:00.000Z',
};

export function toUserResponse(user: User): z.infer<typeof UserResponse> {
  return {
    id: user.id,
    email: user.email,
    email_verified: user.emailVerified,
    roles: [...user.roles],
    created_at: new Date(user.createdAtSeconds * 1000).toISOString(),
  };
}
