import { type Context, runInContext } from 'node:vm';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ADA } from '../../support/app.ts';
import { type Gate, openGate } from './gate.ts';
import { createReactNative } from './react-native.ts';

let gate: Gate;
let native: Context;
/** What AsyncStorage holds. */
let entries: Map<string, string>;

beforeAll(async () => {
  gate = await openGate();
});
afterAll(() => gate.close());
beforeEach(async () => {
  gate.reset();
  entries = new Map();
  native = await createReactNative({
    AsyncStorage: {
      getItem: async (key: string) => entries.get(key) ?? null,
      setItem: async (key: string, value: string) => void entries.set(key, value),
      removeItem: async (key: string) => void entries.delete(key),
    },
    url: gate.url,
    ADA,
  });
  await start();
});

/** What an app does when it starts. */
function start(): Promise<unknown> {
  return run(`
    client = idcard.createClient({ url, transport: idcard.bearer(idcard.keyValueStorage(AsyncStorage)) });
    events = [];
    for (const type of ['login', 'loginEnded']) client.on(type, (event) => events.push(event))`);
}

/** Runs an async function's body in there, and brings its result out. */
async function run(body: string): Promise<unknown> {
  const program = `(async () => JSON.stringify(await (async () => { ${body} })()))()`;
  const result: string | undefined = await runInContext(program, native);
  return result && JSON.parse(result);
}

test('has nothing of a browser', async () => {
  const missing = [
    'window',
    'navigator',
    'crypto',
    'indexedDB',
    'BroadcastChannel',
    'EventTarget',
    'localStorage',
  ];
  for (const name of [...missing, 'URL', 'TextEncoder', 'ReadableStream'])
    expect(runInContext(`typeof ${name}`, native)).toBe('undefined');
  expect(runInContext('fetch.polyfill', native)).toBe(true);
});

test('registers, logs in, and finds the login again after a restart', async () => {
  await run('await client.register(ADA); await client.login(ADA)');
  expect(await run('return client.user()')).toMatchObject({ email: ADA.email });
  expect(await run('return events')).toEqual([{ type: 'login' }]);
  await start();
  expect(await run('return client.isLoggedIn()')).toBe(true);
  expect(await run('return client.user()')).toMatchObject({ email: ADA.email });
  await run('await client.logout()');
  expect(JSON.parse(entries.get('idcard') ?? '')).toEqual({
    id: '',
    edition: '',
    device: expect.any(String),
  });
  expect(await run('return events')).toEqual([{ type: 'loginEnded', reason: 'logout' }]);
});

test('renews once for many callers, and repeats requests with their bodies', async () => {
  await run('await client.login(ADA)');
  const login = JSON.parse(entries.get('idcard') ?? '');
  login.tokens.access_token += 'A';
  entries.set('idcard', JSON.stringify(login));
  const before = await gate.refreshes();
  const body = `return Promise.all(Array.from({ length: 50 }, async () => {
    const answer = await client.fetch(url + '/v1/me/password', {
      method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{"unknown":"field"}' });
    return answer.status + ' ' + (await answer.json()).errors.length;
  }))`;
  expect(await run(body)).toEqual(Array(50).fill('400 3'));
  expect((await gate.refreshes()) - before).toBe(1);
});

test('hears that the login has ended, and throws problems', async () => {
  await run('await client.login(ADA)');
  gate.instead = (path) =>
    path === '/v1/refresh' ? { status: 503, headers: { 'retry-after': '7' } } : undefined;
  const login = JSON.parse(entries.get('idcard') ?? '');
  login.tokens.access_token += 'A';
  entries.set('idcard', JSON.stringify(login));
  const failing = `try { await client.user() } catch ({ name, status, retryAfterSeconds }) { return [name, status, retryAfterSeconds] }`;
  expect(await run(failing)).toEqual(['ProblemError', 503, 7]);

  gate.reset();
  login.tokens.refresh_token += 'A';
  login.edition = 'another';
  entries.set('idcard', JSON.stringify(login));
  await start();
  await run('await client.user()');
  expect(await run('return events')).toEqual([{ type: 'loginEnded', reason: 'refused' }]);
});

test('sends the token to no other origin', async () => {
  await run('await client.login(ADA)');
  const addresses = [
    `${gate.url}@127.0.0.1/`,
    `${gate.url}.example/`,
    `${gate.url}\\@127.0.0.1/`,
    `\\\\${gate.url}/`,
  ];
  await run(`sent = []; strict = idcard.createClient({ url, transport: idcard.bearer(idcard.keyValueStorage(AsyncStorage)),
    fetch: async (request) => { sent.push(request.headers.has('authorization')); return new Response('') } });
    for (const address of ${JSON.stringify(addresses)}) await strict.fetch(address);
    await strict.fetch(url + '/v1/me')`);
  expect(await run('return sent')).toEqual([false, false, false, false, true]);
});

test('does not send the token where ".." leads, which is not resolved here', async () => {
  await run('await client.login(ADA)');
  const sent = await run(`
    const sent = [];
    const fetch = async (request) => { sent.push([request.url, request.headers.has('authorization')]); return new Response(); };
    const transport = idcard.bearer(idcard.keyValueStorage(AsyncStorage));
    const below = idcard.createClient({ url: 'https://example.com/auth', transport, fetch });
    for (const rest of ['/v1/me', '/../orders', '/\\\\..\\\\orders']) await below.fetch('https://example.com/auth' + rest);
    return sent.map(([, hasToken]) => hasToken)`);
  expect(sent).toEqual([true, false, false]);
});
