import { localStorageIfAny } from './platform.ts';
import { keyValueStorage, type LoginStorage, memoryStorage } from './storage.ts';
import type { Transport } from './transport.ts';

/**
 * For browsers: the tokens are in cookies that no script can read. The storage says only that there is a login.
 * @param storage by default `localStorage`, which all tabs share
 */
export function cookie(storage: LoginStorage = sharedStorage()): Transport {
  return {
    name: 'cookie',
    storage,
    begin: async () => ({}),
    send: (fetch, request) => fetch(new Request(request.clone(), { credentials: 'include' })),
    // A 401 without an error code may be renewable: a browser does not send an expired cookie, so no token was invalid.
    isRenewable: (errorCode) => errorCode === undefined || errorCode === 'invalid_token',
  };
}

function sharedStorage(): LoginStorage {
  const area = localStorageIfAny();
  return area ? keyValueStorage(area) : memoryStorage();
}
