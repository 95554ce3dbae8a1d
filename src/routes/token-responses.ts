import { z } from 'zod';
import { TokenResponse } from '../transports/bearer.ts';
import { tokenExample } from './examples.ts';

/** The two ways in which new tokens leave, for the routes that issue them. */
export const tokenResponses = {
  response: { 200: TokenResponse, 204: z.null() },
  documents: {
    200: {
      description: 'Bearer transport: the tokens (RFC 6749 §5.1).',
      example: tokenExample,
    },
    204: {
      description: 'Cookie transport: the tokens are in the cookies `__Host-access` and `__Host-refresh`.',
      headers: { 'Set-Cookie': 'Two cookies: HttpOnly, Secure, SameSite=Lax, Path=/.' },
    },
  },
};
