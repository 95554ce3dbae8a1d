/**
 * Globals that only some platforms have: React Native has none of them, Node.js few. The types of the platforms contradict one
 * another, so these types declare only what is used here.
 */
interface Platform {
  navigator?: { locks?: { request<T>(name: string, action: () => Promise<T>): Promise<T> } };
  localStorage?: TextArea;
  BroadcastChannel?: new (name: string) => Channel;
  addEventListener?: (type: 'storage', listener: (event: TextChange) => void) => void;
  process?: { env?: { NODE_TLS_REJECT_UNAUTHORIZED?: string } };
  indexedDB?: { open(name: string): OpenRequest };
}

/** The event that another tab has written to `localStorage`. */
interface TextChange {
  key: string | null;
  newValue: string | null;
}

interface Channel {
  onmessage: ((event: { data: unknown }) => void) | null;
  postMessage(message: unknown): void;
}

export interface TextArea {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

export interface DatabaseRequest<T> {
  result: T;
  error: unknown;
  onsuccess: (() => void) | null;
  onerror: (() => void) | null;
}

interface OpenRequest extends DatabaseRequest<Database> {
  onupgradeneeded: (() => void) | null;
}

export interface Database {
  createObjectStore(name: string): unknown;
  transaction(name: string, mode: 'readonly' | 'readwrite'): { objectStore(name: string): ObjectStore };
  close(): void;
}

export interface ObjectStore {
  get(key: string): DatabaseRequest<unknown>;
  put(value: unknown, key: string): DatabaseRequest<unknown>;
  delete(key: string): DatabaseRequest<unknown>;
}

export const platform = globalThis as unknown as Platform;

/** Undefined where there is none. A browser may forbid `localStorage` to a page, and then even the read of the property throws. */
export function localStorageIfAny(): TextArea | undefined {
  try {
    return platform.localStorage;
  } catch {
    return undefined;
  }
}

/** Whether Node.js is set to check no certificates. Platforms without that variable, or without access to it, always check. */
export function isTlsUnchecked(): boolean {
  try {
    return platform.process?.env?.NODE_TLS_REJECT_UNAUTHORIZED === '0';
  } catch {
    return false;
  }
}
