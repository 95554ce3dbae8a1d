import { isTlsUnchecked } from './platform.ts';
import { type LoginStorage, memoryStorage } from './storage.ts';
import type { Transport } from './transport.ts';

/**
 * The tokens are in the caller's hands and travel in the Authorization header.
 * @param storage by default the memory of this process or page
 */
export function bearer(storage: LoginStorage = memoryStorage()): Transport {
  return {
    name: 'bearer',
    storage,
    begin: async () => ({}),
    send: async (fetch, request, { tokens }) =>
      fetch(withHeaders(request, tokens && { authorization: `Bearer ${tokens.access_token}` })),
    isRenewable: (errorCode) => errorCode === 'invalid_token',
  };
}

/** The request again, with more headers and what a token in a header demands. */
export function withHeaders(request: Request, more: Record<string, string> = {}): Request {
  // A password would go to whoever answers.
  if (isTlsUnchecked() && request.url.startsWith('https:'))
    throw new TypeError('NODE_TLS_REJECT_UNAUTHORIZED');
  const headers = new Headers(request.headers);
  for (const [name, value] of Object.entries(more)) headers.set(name, value);
  return new Request(request.clone(), {
    headers,
    // Two credentials are one too many: the cookies of another login would come along by themselves.
    credentials: request.credentials === 'include' ? 'include' : 'omit',
    // Not every platform takes the token off a request that is sent on to another origin.
    redirect: request.redirect === 'manual' ? 'manual' : 'error',
  });
}
