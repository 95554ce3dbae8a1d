/**
 * What one platform has and another lacks: nothing of this is in React Native, little in Node.js. Their own types
 * contradict one another, so these say no more than what is used here.
 */
interface Platform {
  navigator?: { locks?: { request<T>(name: string, action: () => Promise<T>): Promise<T> } };
  localStorage?: TextArea;
  BroadcastChannel?: new (name: string) => Channel;
  addEventListener?: (type: 'storage', listener: (event: TextChange) => void) => void;
  process?: { env?: { NODE_TLS_REJECT_UNAUTHORIZED?: string } };
  indexedDB?: { open(name: string): OpenRequest };
}

/** Another tab has written to `localStorage`. */
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

/** A page may be forbidden to have it, and then even asking throws. */
export function localStorageIfAny(): TextArea | undefined {
  try {
    return platform.localStorage;
  } catch {
    return undefined;
  }
}

/** Node.js checks no certificate then. Where there is no such setting, or none may be read, the platform always checks. */
export function isTlsUnchecked(): boolean {
  try {
    return platform.process?.env?.NODE_TLS_REJECT_UNAUTHORIZED === '0';
  } catch {
    return false;
  }
}
