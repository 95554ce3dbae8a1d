import { localStorageIfAny } from './platform.ts';
import { keyValueStorage, type LoginStorage, memoryStorage } from './storage.ts';
import type { Transport } from './transport.ts';

/**
 * For browsers: the tokens are in cookies that no script can read, and what is stored says only that there is a login.
 * @param storage by default `localStorage`, so that all tabs know
 */
export function cookie(storage: LoginStorage = sharedStorage()): Transport {
  return {
    name: 'cookie',
    storage,
    begin: async () => ({}),
    send: (fetch, request) => fetch(new Request(request.clone(), { credentials: 'include' })),
    // A browser drops a cookie that has expired, and then no token was sent that could be called invalid.
    isRenewable: (errorCode) => errorCode === undefined || errorCode === 'invalid_token',
  };
}

function sharedStorage(): LoginStorage {
  const area = localStorageIfAny();
  return area ? keyValueStorage(area) : memoryStorage();
}
