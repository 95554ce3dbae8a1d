import { localStorageIfAny } from './platform.ts';
import type { StoredLogin } from './transport.ts';

/** Where a login is kept. The client reads it before each request, so a slow storage should have a cache. */
export interface LoginStorage {
  get(): StoredLogin | undefined | Promise<StoredLogin | undefined>;
  set(login: StoredLogin): unknown;
  delete(): unknown;
  /** The name by which tabs that share the storage wait for one another and send messages; undefined for one tab alone. */
  shared?: string | undefined;
}

/** A storage that can hold a key which cannot be extracted. A storage of texts cannot. */
export interface KeyStorage extends LoginStorage {
  keepsKeys: true;
}

/** Keeps a login until the page or the process ends. No other tab shares it. */
export function memoryStorage(): KeyStorage {
  let kept: StoredLogin | undefined;
  return {
    keepsKeys: true,
    get: () => kept,
    set(login) {
      kept = login;
    },
    delete() {
      kept = undefined;
    },
  };
}

/** How long a browser takes to show the `localStorage` of one tab to another. */
const SETTLE_MS = 50;

interface KeyValueArea {
  getItem(key: string): string | null | Promise<string | null>;
  setItem(key: string, value: string): unknown;
  removeItem(key: string): unknown;
}

/**
 * For React Native's AsyncStorage, and for any storage with the same methods. For `localStorage` too, with a warning: any script of
 * the page, an injected one too, can read the tokens and carry them away.
 * @param name the key of the only entry
 */
export function keyValueStorage(area: KeyValueArea, name = 'idcard'): LoginStorage {
  const isShared = area === localStorageIfAny();
  return {
    shared: isShared ? name : undefined,
    get: async () => parse(await area.getItem(name)),
    async set(login) {
      await area.setItem(name, JSON.stringify(login));
      // Waits until other tabs see the entry: else the next tab in turn would renew again.
      if (isShared) await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    },
    delete: () => area.removeItem(name),
  };
}

/** Undefined for an entry that is no login. */
function parse(text: string | null): StoredLogin | undefined {
  try {
    const value = JSON.parse(text ?? 'null');
    return typeof value?.edition === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
