import { localStorageIfAny } from './platform.ts';
import type { StoredLogin } from './transport.ts';

/** Where a login is kept. It is read before each request, so a slow one should remember. */
export interface LoginStorage {
  get(): StoredLogin | undefined | Promise<StoredLogin | undefined>;
  set(login: StoredLogin): unknown;
  delete(): unknown;
  /** Where several tabs share it: the name under which they wait for one another and hear from one another. */
  shared?: string | undefined;
}

/** One that can hold a key which may not be extracted; text cannot. */
export interface KeyStorage extends LoginStorage {
  keepsKeys: true;
}

/** Until the page or the process ends, and for it alone. */
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

/** What a browser takes to show one tab's `localStorage` to another. */
const SETTLE_MS = 50;

interface KeyValueArea {
  getItem(key: string): string | null | Promise<string | null>;
  setItem(key: string, value: string): unknown;
  removeItem(key: string): unknown;
}

/**
 * For React Native's AsyncStorage and whatever looks like it. Also for `localStorage`, with a warning: any script of the
 * page, an injected one too, can read it and carry the tokens away.
 * @param name the key of the one entry
 */
export function keyValueStorage(area: KeyValueArea, name = 'idcard'): LoginStorage {
  const isShared = area === localStorageIfAny();
  return {
    shared: isShared ? name : undefined,
    get: async () => parse(await area.getItem(name)),
    async set(login) {
      await area.setItem(name, JSON.stringify(login));
      // Another tab sees it a moment later: had it its turn before, it would renew what was just renewed.
      if (isShared) await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    },
    delete: () => area.removeItem(name),
  };
}

/** Whatever else stands there is no login. */
function parse(text: string | null): StoredLogin | undefined {
  try {
    const value = JSON.parse(text ?? 'null');
    return typeof value?.edition === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
