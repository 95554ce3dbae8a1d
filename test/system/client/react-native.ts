import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Context, createContext, runInContext } from 'node:vm';
import { bundle } from './bundle.ts';

const require = createRequire(import.meta.url);

/**
 * Simulates what React Native gives a program: no window, no `crypto`, no Web Locks, no BroadcastChannel, no IndexedDB, no
 * EventTarget; `fetch` is the package that React Native takes its own from, and knows of requests and addresses less
 * than a browser. What is beneath, XMLHttpRequest, is Node's fetch here.
 */
export async function createReactNative(extra: Record<string, unknown> = {}): Promise<Context> {
  const context = createContext({
    console,
    setTimeout,
    clearTimeout,
    AbortController: class {
      signal = { aborted: false, addEventListener: () => undefined, removeEventListener: () => undefined };
    },
    AbortSignal: class {},
    XMLHttpRequest: NativeRequest,
    performance: { now: () => performance.now() },
    ...extra,
  });
  runInContext('var self = undefined; var global = globalThis;', context);
  runInContext(readFileSync(require.resolve('whatwg-fetch'), 'utf8'), context);
  runInContext(await bundle("export * from 'idcard-client';", 'iife'), context);
  return context;
}

/** As much of it as that package uses. */
class NativeRequest {
  status = 0;
  statusText = '';
  response = '';
  onload = () => undefined;
  onerror = () => undefined;
  readonly #headers = new Headers();
  #received = new Headers();
  #method = 'GET';
  #url = '';

  open(method: string, url: string): void {
    this.#method = method;
    this.#url = url;
  }

  setRequestHeader(name: string, value: string): void {
    this.#headers.append(name, value);
  }

  getAllResponseHeaders(): string {
    return [...this.#received].map(([name, value]) => `${name}: ${value}\r\n`).join('');
  }

  async send(body: string | null): Promise<void> {
    try {
      const answer = await fetch(this.#url, { method: this.#method, headers: this.#headers, body });
      this.response = await answer.text();
      this.status = answer.status;
      this.statusText = answer.statusText;
      this.#received = answer.headers;
      this.onload();
    } catch {
      this.onerror();
    }
  }
}
