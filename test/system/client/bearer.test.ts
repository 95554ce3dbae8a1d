import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  bearer,
  type Client,
  createClient,
  type LoginEvent,
  type LoginStorage,
  memoryStorage,
  ProblemError,
} from '../../../src/client/index.ts';
import { ADA, BOB } from '../../support/app.ts';
import { type Gate, openGate } from './gate.ts';
import { type OtherService, serveOther } from './other-service.ts';

const TTL_SECONDS = 10;

let gate: Gate;
let other: OtherService;
let storage: LoginStorage;
let client: Client;
let events: LoginEvent[];

beforeAll(async () => {
  gate = await openGate({ ACCESS_TOKEN_TTL_SECONDS: String(TTL_SECONDS) });
  other = await serveOther();
  for (const user of [ADA, BOB]) await createClient({ url: gate.url, transport: bearer() }).register(user);
});
afterAll(async () => {
  other.close();
  await gate.close();
});
beforeEach(async () => {
  gate.reset();
  other.requests.length = 0;
  other.answer = () => undefined;
  storage = memoryStorage();
  client = newClient();
  events = [];
  client.on('login', (event) => events.push(event));
  client.on('loginEnded', (event) => events.push(event));
  await client.login(ADA);
  await settled();
  events.length = 0;
});
afterEach(() => {
  vi.restoreAllMocks();
});

function newClient(): Client {
  return createClient({ url: `${gate.url}/`, transport: bearer(storage), origins: [other.url] });
}

/** Events are told a moment later. */
function settled(): Promise<void> {
  return sleep(5);
}

async function stored() {
  const login = await storage.get();
  if (!login?.tokens) throw new Error('Nobody is logged in.');
  return { login, tokens: login.tokens };
}

/** The access token is one that the server refuses, or one that the client believes to be of such an age. */
async function spoil({ ageSeconds }: { ageSeconds?: number } = {}): Promise<void> {
  const { login, tokens } = await stored();
  const spoilt =
    ageSeconds === undefined
      ? { access_token: `${tokens.access_token.slice(0, -9)}AAAAAAAAA` }
      : { receivedAtMs: Date.now() - ageSeconds * 1000 };
  await storage.set({ ...login, edition: `spoilt ${login.edition}`, tokens: { ...tokens, ...spoilt } });
}

async function refreshesDuring(action: () => Promise<unknown>): Promise<number> {
  const before = await gate.refreshes();
  await action();
  return (await gate.refreshes()) - before;
}

function me(): Promise<Response> {
  return client.fetch(`${gate.url}/v1/me`);
}

describe('a login', () => {
  test('gives the user, until the logout', async () => {
    expect(await client.user()).toMatchObject({ email: ADA.email, email_verified: false });
    expect(await client.isLoggedIn()).toBe(true);
    await client.logout();
    expect(await client.user()).toBeUndefined();
    expect(await client.isLoggedIn()).toBe(false);
    expect(gate.server.stdout()).toContain('"event":"logout","sub"');
    await settled();
    expect(events).toEqual([{ type: 'loginEnded', reason: 'logout' }]);
  });

  test('with a wrong password throws the problem, and the login before goes on', async () => {
    const failure = client.login({ ...ADA, password: 'not the password at all' });
    await expect(failure).rejects.toBeInstanceOf(ProblemError);
    await expect(failure).rejects.toMatchObject({
      requestId: expect.stringMatching(/^[\w-]{16}$/),
      type: 'urn:idcard:problem:invalid-credentials',
      title: 'Invalid credentials',
      status: 401,
      detail: 'The email or the password is wrong.',
      errors: [],
    });
    expect((await me()).status).toBe(200);
  });

  test('that is refused says which field is wrong', async () => {
    const failure = client.register({ email: 'carol@example.com', password: 'short' });
    await expect(failure).rejects.toMatchObject({
      status: 400,
      errors: [{ pointer: '#/password', detail: expect.any(String) }],
    });
  });

  test('goes on after a change of the password, and ends with a logout everywhere', async () => {
    const [old, next] = [BOB.password, 'four quiet lamps in Oslo'];
    await client.login(BOB);
    const elsewhere = createClient({ url: gate.url, transport: bearer() });
    await elsewhere.login(BOB);
    await client.changePassword({ current_password: old, new_password: next });
    expect((await me()).status).toBe(200);
    await expect(elsewhere.changePassword({ current_password: next, new_password: old })).rejects.toThrow();

    await spoil(); // renewed on the way
    await client.changePassword({ current_password: next, new_password: old });
    await client.logoutEverywhere();
    expect(await client.isLoggedIn()).toBe(false);
    await settled();
    expect(events.at(-1)).toEqual({ type: 'loginEnded', reason: 'logout' });
  });
});

describe('the device token', () => {
  test('stays beyond the logout and the end of a login, and is sent with the next one', async () => {
    const sent: (string | undefined)[] = [];
    const fetch = async (request: Request) => {
      if (request.url.endsWith('/v1/login')) sent.push(JSON.parse(await request.clone().text()).device_token);
      return globalThis.fetch(request);
    };
    client = createClient({ url: gate.url, transport: bearer(storage), fetch });
    const device = async () => (await storage.get())?.device;
    const first = await device();
    await client.logout();
    await client.logout();
    expect(await client.isLoggedIn()).toBe(false);
    expect(await client.user()).toBeUndefined();
    await client.login(ADA);
    const second = await device();
    await client.changePassword({ current_password: ADA.password, new_password: BOB.password });
    await client.changePassword({ current_password: BOB.password, new_password: ADA.password });
    expect(await device()).toBe(second);
    await client.logoutEverywhere();
    await client.login(ADA);
    expect(sent).toEqual([first, second]);
    expect(new Set([first, second, await device(), undefined]).size).toBe(4);
  });
});

describe('a token that is over', () => {
  test('by the word of the server is renewed once for a hundred callers, and all succeed', async () => {
    await spoil();
    const answers: Response[] = [];
    const all = async () => answers.push(...(await Promise.all(Array.from({ length: 100 }, me))));
    expect(await refreshesDuring(all)).toBe(1);
    expect(answers.map(({ status }) => status)).toEqual(Array(100).fill(200));
    expect(events).toEqual([]);
  });

  test('by its age is renewed once for a hundred callers, before anything is sent', async () => {
    await spoil({ ageSeconds: TTL_SECONDS });
    gate.passages.length = 0;
    expect(await refreshesDuring(() => Promise.all(Array.from({ length: 100 }, me)))).toBe(1);
    expect(gate.passages.filter(({ status }) => status !== 200)).toEqual([]);
  });

  test('soon is renewed in the background: the request does not wait', async () => {
    const clock = vi.spyOn(Date, 'now').mockReturnValue(Date.now()); // the half second that is left may be over sooner
    await spoil({ ageSeconds: 0.95 * TTL_SECONDS });
    const { resolve: open, promise: opened } = Promise.withResolvers<void>();
    gate.after = async (path) => {
      if (path === '/v1/refresh') await opened;
      return undefined;
    };
    const { edition } = (await stored()).login;
    expect((await me()).status).toBe(200);
    clock.mockRestore();
    open();
    await expect.poll(async () => (await stored()).login.edition).not.toBe(edition);
  });

  test('really, after ten seconds, is renewed', async () => {
    vi.spyOn(Date, 'now').mockReturnValue(Date.now()); // so that only the server's clock goes on
    await sleep(1000 * TTL_SECONDS + 200);
    expect(await refreshesDuring(async () => expect((await me()).status).toBe(200))).toBe(1);
  });

  test.each([-600, 600])('is not what a clock that is %i s wrong makes of it', async (seconds) => {
    const { now } = Date;
    vi.spyOn(Date, 'now').mockImplementation(() => now() + seconds * 1000);
    await client.login(ADA);
    expect(await refreshesDuring(async () => expect((await me()).status).toBe(200))).toBe(0);
  });

  test.each([-600, 600])('is renewed once when the clock is set by %i s', async (seconds) => {
    const { now } = Date;
    vi.spyOn(Date, 'now').mockImplementation(() => now() + seconds * 1000);
    expect(await refreshesDuring(async () => expect((await me()).status).toBe(200))).toBe(1);
    expect(await refreshesDuring(me)).toBe(0);
  });
});

describe('a renewal that fails', () => {
  test('because its answer was lost fails the request, and the next one succeeds', async () => {
    await spoil();
    gate.after = async (path) => (path === '/v1/refresh' ? 'lose' : undefined);
    await expect(me()).rejects.toThrow(TypeError);
    gate.reset();
    expect((await me()).status).toBe(200);
    expect(events).toEqual([]);
  });

  test('because the server is down leaves the login as it is', async () => {
    await spoil();
    await gate.restart(async () => {
      await expect(me()).rejects.toThrow(TypeError);
      await expect(me()).rejects.toThrow(TypeError);
      expect(await client.isLoggedIn()).toBe(true);
    });
    expect((await me()).status).toBe(200);
    expect(events).toEqual([]);
  });

  test.each([503, 429])(
    'with %i is not tried again before the time that the server named',
    async (status) => {
      await spoil();
      gate.instead = (path) =>
        path === '/v1/refresh' ? { status, headers: { 'retry-after': '1' } } : undefined;
      for (let call = 0; call < 3; call++)
        await expect(me()).rejects.toMatchObject({ name: 'ProblemError', status, retryAfterSeconds: 1 });
      expect(gate.passages.filter(({ path }) => path === '/v1/refresh')).toHaveLength(1);
      gate.reset();
      await sleep(1050);
      expect((await me()).status).toBe(200);
      expect(events).toEqual([]);
    },
  );

  test('while the token still works does no harm', async () => {
    await spoil({ ageSeconds: TTL_SECONDS });
    gate.instead = (path) => (path === '/v1/refresh' ? { status: 500 } : undefined);
    expect((await me()).status).toBe(200);
  });

  test('with a 401 that idcard did not write does not end the login', async () => {
    await spoil();
    gate.instead = (path) => (path === '/v1/refresh' ? { status: 401, body: '<h1>Proxy</h1>' } : undefined);
    await expect(me()).rejects.toMatchObject({ status: 401, type: 'about:blank' });
    gate.reset();
    expect((await me()).status).toBe(200);
  });

  test('with a 401 of idcard ends the login, once for all callers', async () => {
    const elsewhere = createClient({ url: gate.url, transport: bearer() });
    await elsewhere.login(ADA);
    await sleep(1100); // the version counts from the next second on
    await elsewhere.logoutEverywhere();
    await spoil();
    const answers = await Promise.all(Array.from({ length: 20 }, me));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(401));
    expect(await client.isLoggedIn()).toBe(false);
    await settled();
    expect(events).toEqual([{ type: 'loginEnded', reason: 'refused' }]);
  });
});

describe('while a renewal is on its way', () => {
  /** Starts a request that needs a renewal, whose answer comes when it is told to. */
  async function startRenewal(): Promise<{ request: Promise<Response>; open: () => void }> {
    await spoil();
    const { resolve: open, promise: opened } = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    gate.after = async (path) => {
      if (path !== '/v1/refresh') return undefined;
      arrived.resolve();
      await opened;
      return undefined;
    };
    const request = me();
    await arrived.promise;
    return { request, open };
  }

  test('a logout stays one', async () => {
    const { request, open } = await startRenewal();
    const logout = client.logout();
    await settled();
    expect(await client.isLoggedIn()).toBe(false); // at once
    open();
    expect((await request).status).toBe(401);
    await logout;
    expect(await storage.get()).toEqual({ id: '', edition: '', device: expect.any(String) });
    await settled();
    expect(events).toEqual([{ type: 'loginEnded', reason: 'logout' }]);
  });

  test('a login as another user stays theirs, and the request is not repeated as them', async () => {
    const { request, open } = await startRenewal();
    const out = client.logout();
    const login = client.login(BOB);
    open();
    expect((await request).status).toBe(401);
    await Promise.all([out, login]);
    expect(await client.user()).toMatchObject({ email: BOB.email });
  });

  test('a storage that changes by another hand is not written over', async () => {
    const { request, open } = await startRenewal();
    const elsewhere = memoryStorage();
    await createClient({ url: gate.url, transport: bearer(elsewhere) }).login(BOB);
    const login = await elsewhere.get();
    if (login) await storage.set(login);
    open();
    expect((await request).status).toBe(401);
    expect(await client.user()).toMatchObject({ email: BOB.email });
  });
});

describe('the token', () => {
  test('goes to origins that are listed, without cookies', async () => {
    expect((await client.fetch(`${other.url}/orders?page=2`)).status).toBe(200);
    const { tokens } = await stored();
    expect(other.requests[0]?.headers.authorization).toBe(`Bearer ${tokens.access_token}`);
  });

  test.each([
    ['another port', () => other.url],
    ['the origin as a user name', () => `${gate.url.replace('http://', 'http://login@')}@127.0.0.1/`],
    ['the origin before an @', () => `${gate.url}@127.0.0.1/`],
    ['the origin as the start of a longer host', () => `${gate.url}.example.com/`],
    ['the origin as the start of a longer port', () => `${gate.url}0/`],
    ['the origin before a backslash', () => `${gate.url}\\@evil.example/`],
    ['the origin in the path', () => `http://evil.example/${gate.url}/`],
    ['the origin behind a blank', () => ` http://evil.example/${gate.url}`],
    ['another scheme', () => gate.url.replace('http:', 'https:')],
  ])('does not go to %s', async (_name, address) => {
    const sent: Request[] = [];
    const strict = createClient({
      url: gate.url,
      transport: bearer(storage),
      fetch: async (request) => {
        sent.push(request);
        return new Response();
      },
    });
    await strict.fetch(address()).catch((error: unknown) => expect(error).toBeInstanceOf(TypeError));
    for (const { url, headers } of sent)
      if (new URL(url).origin !== gate.url) expect(headers.has('authorization')).toBe(false);
  });

  test.each<[string, boolean]>([
    ['', true],
    ['?a', true],
    ['/', true],
    ['/v1/me?next=/../x', true],
    ['/v1/./me', true],
    ['x', false],
    ['.', false],
    ['/../orders', false],
    ['/v1/..%2f..%2forders', false],
    ['/%2E%2e%5corders', false],
    ['%2f..', false],
  ])(
    'goes below the path of idcard alone, where it has one: https://example.com/auth%s %s',
    async (rest, goes) => {
      const sent: Request[] = [];
      const fetch = async (request: Request) => {
        sent.push(request);
        return new Response();
      };
      const options = { transport: bearer(storage), fetch };
      await createClient({ url: 'https://example.com/auth/', ...options }).fetch(
        `https://example.com/auth${rest}`,
      );
      expect(sent.map(({ headers }) => headers.has('authorization'))).toEqual([goes]);
      // The rest of the host is an origin like another.
      const origins = ['https://example.com'];
      await createClient({ url: 'https://example.com/auth', origins, ...options }).fetch(
        'https://example.com/api',
      );
      expect(sent[1]?.headers.has('authorization')).toBe(true);
    },
  );

  test.each([301, 302, 303, 307, 308])(
    'does not follow a redirect by %i, to wherever it leads',
    async (status) => {
      const evil = await serveOther();
      gate.instead = () => ({ status, headers: { location: evil.url } });
      for (const redirect of ['follow', 'error'] as const)
        await expect(client.fetch(`${gate.url}/moved`, { redirect })).rejects.toThrow(TypeError);
      for (const ask of [() => client.register(ADA), () => client.login(ADA), () => client.user()])
        await expect(ask()).rejects.toThrow(TypeError);
      expect((await client.fetch(`${gate.url}/moved`, { redirect: 'manual' })).status).toBe(status);
      expect(evil.requests).toEqual([]);
      evil.close();
    },
  );

  test.each([300, 304])('leaves an answer %i alone, which is no redirect', async (status) => {
    gate.instead = () => ({ status });
    expect((await client.fetch(`${gate.url}/same`)).status).toBe(status);
  });

  test.each([
    'https://',
    '*',
    '',
    'localhost',
    'null',
    'https://a.example?x',
    'https://login.example.com/a/path/',
  ])('is for no origin called "%s"', (origin) => {
    const transport = bearer();
    expect(() => createClient({ url: gate.url, transport, origins: [origin] })).toThrow(/^Not an origin/);
    if (!origin.endsWith('/path/'))
      expect(() => createClient({ url: origin, transport })).toThrow(/^Not an address/);
  });

  test.each(['//auth', '/auth//', '/..', '/a/../b', '/%61uth', '/auth?x', '/auth#x', '/a b'])(
    'is for no path called "%s"',
    (path) => {
      const open = () => createClient({ url: `https://example.com${path}`, transport: bearer() });
      expect(open).toThrow(/^Not an address such as https:/);
    },
  );

  test('is renewed for no other 401', async () => {
    other.answer = (response) => {
      response.statusCode = 401;
      response.setHeader(
        'www-authenticate',
        'Bearer error="insufficient_user_authentication", error_description="invalid_token"',
      );
    };
    expect(await refreshesDuring(() => client.fetch(other.url))).toBe(0);
    expect(other.requests).toHaveLength(1);
  });

  test('is renewed once when a service refuses every token', async () => {
    other.answer = (response) => {
      response.statusCode = 401;
      response.setHeader('www-authenticate', 'Bearer error="invalid_token"');
    };
    const call = async () => expect((await client.fetch(other.url)).status).toBe(401);
    expect(await refreshesDuring(call)).toBe(1);
    expect(other.requests).toHaveLength(2);
  });
});

describe('a request that is repeated', () => {
  const form = new FormData();
  form.append('name', 'value');
  test.each<[string, () => RequestInit]>([
    ['text', () => ({ body: 'all of it' })],
    ['bytes', () => ({ body: new TextEncoder().encode('all of it') })],
    ['a form', () => ({ body: form })],
    ['a stream', () => ({ body: new Blob(['all ', 'of it']).stream(), duplex: 'half' })],
  ])('has its body again: %s', async (_name, init) => {
    other.answer = (response, index) => {
      response.statusCode = index === 0 ? 401 : 200;
      response.setHeader('www-authenticate', 'Bearer error="invalid_token"');
    };
    const headers = { 'x-own': 'kept' };
    const request = new Request(other.url, { method: 'POST', headers, ...init() });
    expect((await client.fetch(request)).status).toBe(200);
    const [first, second] = other.requests;
    expect(first?.body).toMatch(/all of it|name="name"/);
    expect(second?.body).toBe(first?.body);
    expect(second?.headers).toMatchObject(headers);
    expect(second?.headers['content-type']).toBe(first?.headers['content-type']);
    expect(second?.headers.authorization).not.toBe(first?.headers.authorization);
  });

  test('is not sent when its caller has given up meanwhile', async () => {
    await spoil();
    const controller = new AbortController();
    gate.after = async (path) => {
      if (path === '/v1/refresh') controller.abort();
      return undefined;
    };
    const request = client.fetch(`${gate.url}/v1/me`, { signal: controller.signal });
    await expect(request).rejects.toMatchObject({ name: 'AbortError' });
    expect((await me()).status).toBe(200); // the renewal was for everybody
  });
});
