import { isTlsUnchecked } from './platform.ts';
import { refuseRedirect } from './redirect.ts';
import { type LoginStorage, memoryStorage } from './storage.ts';
import type { Fetch, Transport } from './transport.ts';

/**
 * The tokens are in the caller's hands and travel in the Authorization header.
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

/** Sends the request with more headers, and with what a token in a header demands. */
export async function sendWith(
  fetch: Fetch,
  request: Request,
  more: Record<string, string> = {},
): Promise<Response> {
  // A password would go to whoever answers.
  if (isTlsUnchecked() && request.url.startsWith('https:'))
    throw new TypeError('NODE_TLS_REJECT_UNAUTHORIZED');
  const headers = new Headers(request.headers);
  for (const [name, value] of Object.entries(more)) headers.set(name, value);
  const response = await fetch(
    new Request(request.clone(), {
      headers,
      // Two credentials are one too many: the cookies of another login would come along by themselves.
      credentials: request.credentials === 'include' ? 'include' : 'omit',
      // Not every platform takes the token off a request that is sent on to another origin.
      redirect: 'manual',
    }),
  );
  return request.redirect === 'manual' ? response : refuseRedirect(response);
}
