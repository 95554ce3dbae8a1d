import { type Database, type DatabaseRequest, type ObjectStore, platform } from './platform.ts';
import type { KeyStorage } from './storage.ts';
import type { StoredLogin } from './transport.ts';

const STORE = 'login';

/**
 * For browsers: a storage that outlives the page, and that holds a key whose bytes no script sees.
 * @param name the name of the database
 */
export function indexedDbStorage(name = 'idcard'): KeyStorage {
  /** Opens the database for each use: browsers silently close the connections of a page that has slept. */
  async function run(
    mode: 'readonly' | 'readwrite',
    action: (store: ObjectStore) => DatabaseRequest<unknown>,
  ): Promise<unknown> {
    const database = await open(name);
    try {
      return await done(action(database.transaction(STORE, mode).objectStore(STORE)));
    } finally {
      database.close();
    }
  }

  return {
    shared: name,
    keepsKeys: true,
    get: async () => (await run('readonly', (store) => store.get(STORE))) as StoredLogin | undefined, // only `set` writes here
    set: (login) => run('readwrite', (store) => store.put(login, STORE)),
    delete: () => run('readwrite', (store) => store.delete(STORE)),
  };
}

function open(name: string): Promise<Database> {
  if (!platform.indexedDB) throw new Error('There is no IndexedDB here: choose another storage.');
  const request = platform.indexedDB.open(name);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return done(request);
}

function done<T>(request: DatabaseRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
