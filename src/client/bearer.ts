import { isTlsUnchecked } from './platform.ts';
import { refuseRedirect } from './redirect.ts';
import { type LoginStorage, memoryStorage } from './storage.ts';
import type { Fetch, Transport } from './transport.ts';

/**
 * Tokens in a storage of the caller, which travel in the Authorization header.
 * @param storage by default the memory of this process or page
 */
export function bearer(storage: LoginStorage = memoryStorage()): Transport {
  return {
    name: 'bearer',
    storage,
    begin: async () => ({}),
    send: (fetch, request, { tokens }) =>
      sendWith(fetch, request, tokens && { authorization: `Bearer ${tokens.access_token}` }),
    isRenewable: (errorCode) => errorCode === 'invalid_token',
  };
}

/** Sends a request with more headers, under the rules for a token in a header. */
export async function sendWith(
  fetch: Fetch,
  request: Request,
  more: Record<string, string> = {},
): Promise<Response> {
  // Without a check of certificates, anybody could answer, and receive the password.
  if (isTlsUnchecked() && request.url.startsWith('https:'))
    throw new TypeError('NODE_TLS_REJECT_UNAUTHORIZED');
  const headers = new Headers(request.headers);
  for (const [name, value] of Object.entries(more)) headers.set(name, value);
  const response = await fetch(
    new Request(request.clone(), {
      headers,
      // The browser would add the cookies of another login, and idcard refuses two credentials.
      credentials: request.credentials === 'include' ? 'include' : 'omit',
      // Not every platform removes the token from a request that is redirected to another origin.
      redirect: 'manual',
    }),
  );
  return request.redirect === 'manual' ? response : refuseRedirect(response);
}
