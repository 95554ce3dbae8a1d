import type { PasswordChange, Registration, User } from './openapi.ts';
import { checked } from './problem-error.ts';
import { createSendRenewing } from './renewing.ts';
import { jsonOf, receiveLogin, requestTo } from './requests.ts';
import { createSession, type LoginEvent } from './session.ts';
import type { Credentials, Fetch, StoredLogin, Transport } from './transport.ts';

export interface ClientOptions {
  /** The address of idcard: `https://login.example.com`, or with a path, `https://example.com/auth`. */
  url: string;
  /** `cookie()`, `bearer()` or `dpop()`. */
  transport: Transport;
  /** Other origins that get the login with each request: your own APIs. */
  origins?: readonly string[];
  fetch?: Fetch;
}

/** Every method throws `ProblemError` for an answer that is no success, and the error of `fetch` when there is no answer. */
export interface Client {
  register(registration: Registration): Promise<User>;
  login(credentials: Registration): Promise<void>;
  /** Logs out in all tabs. Only the service can clear cookies: with them it throws when the service cannot be reached. */
  logout(): Promise<void>;
  /** Voids every token of the user. */
  logoutEverywhere(): Promise<void>;
  /** Voids every other token of the user. The login here goes on. */
  changePassword(change: PasswordChange): Promise<void>;
  /** Asks the service who is logged in; undefined when nobody is. */
  user(): Promise<User | undefined>;
  /** Whether a login is stored here. It asks nobody, so the login may have ended already. */
  isLoggedIn(): Promise<boolean>;
  /**
   * The `fetch` of the platform, with the login for requests to `url` and `origins`. When the access token has ended, it renews
   * the login and repeats the request once. It throws when the renewal fails.
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** Listens to `login` and `loginEnded`, of this tab or another one. @returns a function that removes the listener */
  on<T extends LoginEvent['type']>(type: T, listener: Listener<T>): () => void;
}

type Listener<T extends LoginEvent['type']> = (event: Extract<LoginEvent, { type: T }>) => void;

export function createClient(options: ClientOptions): Client {
  const { transport, fetch = globalThis.fetch } = options;
  const url = toBase(options.url);
  const hasPath = url.split('/').length > 3;
  const origins = (options.origins ?? []).map(toOrigin);
  const listeners = new Set<(event: LoginEvent) => void>();
  // Each listener on its own, so that the others are called when one throws.
  const emit = (event: LoginEvent) => {
    for (const listener of listeners) Promise.resolve(event).then(listener);
  };
  const session = createSession(transport, requestRenewal, emit);
  const send = (request: Request, credentials: Credentials) => transport.send(fetch, request, credentials);
  const sendRenewing = createSendRenewing(session, transport, send);
  const ask = (method: string, path: string, body?: object) => requestTo(url, method, path, body);

  function requestRenewal(login: StoredLogin | undefined): Promise<StoredLogin> {
    const { tokens, ...rest } = login ?? {};
    const body = tokens && { refresh_token: tokens.refresh_token };
    return receiveLogin(send(ask('POST', '/v1/refresh', body), rest), rest);
  }

  return {
    register: async (registration) =>
      jsonOf<User>(await checked(send(ask('POST', '/v1/register', registration), {}))),
    login: (credentials) =>
      session.exclusive(async () => {
        const start = await transport.begin();
        const body = {
          ...credentials,
          transport: transport.name,
          device_token: (await transport.storage.get())?.device,
        };
        await session.keep(await receiveLogin(send(ask('POST', '/v1/login', body), start), start));
      }),
    async logout() {
      const isBearer = transport.name === 'bearer';
      const atOnce = session.look().then(async (login) => {
        if (isBearer) await session.end('logout'); // no further request has the login
        return login ?? {};
      });
      const inTurn = session.exclusive(async () => {
        const answer = checked(send(ask('POST', '/v1/logout'), await atOnce));
        // With bearer tokens the request is only for the service's log. Cookies are cleared by its answer.
        await (isBearer ? answer.catch(() => undefined) : answer);
        await session.end('logout');
      });
      await Promise.all([atOnce, inTurn]);
    },
    logoutEverywhere: () =>
      session.exclusive(async () => {
        await checked(sendRenewing(ask('POST', '/v1/logout-everywhere'), session.renewInTurn));
        await session.end('logout');
      }),
    changePassword: (change) =>
      session.exclusive(async () => {
        const answer = sendRenewing(ask('PUT', '/v1/me/password', change), session.renewInTurn);
        const login = await session.look();
        await session.keep(await receiveLogin(answer, login ?? {}));
      }),
    async user() {
      const response = await sendRenewing(ask('GET', '/v1/me'));
      if (response.status === 401) return undefined;
      return jsonOf<User>(await checked(response));
    },
    isLoggedIn: async () => (await session.look()) !== undefined,
    async fetch(input, init) {
      const request = new Request(input, init);
      const address = request.url.split(/[?#]/)[0] ?? '';
      const isBelow = (base: string) => `${address}/`.startsWith(`${base}/`);
      const isTrusted = origins.some(isBelow) || (isBelow(url) && !(hasPath && DOTS.test(address)));
      return isTrusted ? sendRenewing(request) : fetch(request);
    },
    on(type, listener) {
      const hear = (event: LoginEvent) => {
        if (event.type === type) listener(event as Parameters<typeof listener>[0]); // the comparison proves the type
      };
      listeners.add(hear);
      return () => listeners.delete(hear);
    },
  };
}

/** Dots that lead out of the path of idcard. React Native does not resolve "..", and proxies resolve "..%2f". */
const DOTS = /(?:\.|%2e){2}/i;

function toBase(text: string): string {
  const [base] = /^https?:\/\/[^/?#]+(?:\/[\w.~-]+)*(?=\/?$)/.exec(text) ?? [];
  if (!base || DOTS.test(base))
    throw new TypeError(`Not an address such as https://login.example.com: "${text}"`);
  return base;
}

/** @throws TypeError for a text that would match any origin, such as `https://` with an empty setting behind it */
function toOrigin(text: string): string {
  const [origin] = /^https?:\/\/[^/?#]+(?=\/?$)/.exec(text) ?? [];
  if (!origin) throw new TypeError(`Not an origin such as https://login.example.com: "${text}"`);
  return origin;
}
