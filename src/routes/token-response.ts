import { z } from 'zod';
import { TokenResponse } from '../transports/bearer.ts';

/** The two ways in which new tokens leave, for the routes that issue them. */
export const tokenResponses = {
  response: { 200: TokenResponse, 204: z.null() },
  documents: {
    200: {
      description: 'Bearer transport: the tokens (RFC 6749 §5.1).',
      example: {
        access_token:
          'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6Ii4uLiJ9.eyJpc3MiOiIuLi4ifQ.c2lnbmF0dXJl',
        token_type: 'Bearer' as const,
        expires_in: 300,
        refresh_token:
          'eyJhbGciOiJIUzI1NiIsInR5cCI6InJ0K2p3dCIsImtpZCI6Ii4uLiJ9.eyJpc3MiOiIuLi4ifQ.c2lnbmF0dXJl',
        refresh_expires_in: 604_800,
        scope: 'account',
      },
    },
    204: {
      description: 'Cookie transport: the tokens are in the cookies `__Host-access` and `__Host-refresh`.',
      headers: { 'Set-Cookie': 'Two cookies: HttpOnly, Secure, SameSite=Lax, Path=/.' },
    },
  },
};
