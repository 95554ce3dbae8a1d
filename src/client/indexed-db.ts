import { type Database, type DatabaseRequest, type ObjectStore, platform } from './platform.ts';
import type { KeyStorage } from './storage.ts';
import type { StoredLogin } from './transport.ts';

const STORE = 'login';

/**
 * For browsers: outlives the page, and holds a key without its bytes ever being visible.
 * @param name of the database
 */
export function indexedDbStorage(name = 'idcard'): KeyStorage {
  /** Opened each time: browsers close connections behind the back of a page that has slept. */
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
    get: async () => (await run('readonly', (store) => store.get(STORE))) as StoredLogin | undefined, // put by `set`
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
