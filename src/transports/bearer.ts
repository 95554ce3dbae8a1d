import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { invalidToken } from '../problems/general.ts';
import { severalCredentials } from './problems.ts';
import { findHeader } from './raw-headers.ts';
import type { OutgoingTokens, ReceivedToken } from './transport.ts';

/** The successful token response of RFC 6749 §5.1, with the refresh token's lifetime beside the access token's. */
export const TokenResponse = z
  .object({
    access_token: z.string(),
    token_type: z.enum(['Bearer', 'DPoP']),
    expires_in: z.int().meta({ description: 'Seconds until the access token expires.' }),
    refresh_token: z.string(),
    refresh_expires_in: z.int().meta({ description: 'Seconds until the refresh token expires.' }),
    scope: z.string(),
    device_token: z
      .string()
      .optional()
      .meta({
        description:
          'At a login alone. Keep it beyond the logout, and send it with the next login by the same email: ' +
          'then guesses of strangers at the account do not slow that login down. It logs nobody in.',
      }),
  })
  .meta({ id: 'TokenResponse', description: 'RFC 6749 §5.1' });

/** Our schemes. Another scheme is somebody else's credential, such as the Basic of a proxy in front. */
const SCHEME = /^(bearer|dpop)(?: +|$)/i;

/**
 * The token of `Authorization: Bearer <token>` (RFC 6750 §2.1) or `DPoP <token>` (RFC 9449 §7.1); undefined when no
 * such header was sent.
 * @throws severalCredentials for a second Authorization header, which Node would drop without a word
 * @throws invalidToken when nothing stands behind the scheme
 */
export function readAuthorization(request: FastifyRequest): ReceivedToken | undefined {
  const { rawHeaders } = request.raw;
  const index = findHeader(rawHeaders, 'authorization');
  const authorization = rawHeaders[index];
  if (authorization === undefined) return undefined;
  const isOnly = findHeader(rawHeaders, 'authorization', index + 1) === -1;
  if (!isOnly && hasAuthorization(request))
    throw severalCredentials({ reason: () => 'two Authorization headers' });
  const [prefix, scheme] = SCHEME.exec(authorization) ?? [];
  if (prefix === undefined) return undefined; // an unsupported method (RFC 6750 §3.1)
  const token = authorization.slice(prefix.length);
  if (token === '')
    throw invalidToken({
      detail: 'The Authorization header names a scheme, and no token behind it.',
      reason: () => 'no token stands behind the scheme of the Authorization header',
    });
  return { token, transport: 'bearer', scheme: scheme?.toLowerCase() === 'dpop' ? 'DPoP' : 'Bearer' };
}

/** Whether the request has an Authorization header with one of our schemes, with a token or without. */
export function hasAuthorization(request: FastifyRequest): boolean {
  const { rawHeaders } = request.raw;
  let index = findHeader(rawHeaders, 'authorization');
  while (index !== -1 && !SCHEME.test(String(rawHeaders[index])))
    index = findHeader(rawHeaders, 'authorization', index + 1);
  return index !== -1;
}

export function sendBearer(reply: FastifyReply, tokens: OutgoingTokens): FastifyReply {
  return reply.code(200).send({
    access_token: tokens.accessToken,
    token_type: tokens.tokenType,
    expires_in: tokens.accessExpiresInSeconds,
    refresh_token: tokens.refreshToken,
    refresh_expires_in: tokens.refreshExpiresInSeconds,
    scope: tokens.scope,
    ...(tokens.device && { device_token: tokens.device.token }),
  } satisfies z.infer<typeof TokenResponse>);
}
