import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bearer, createClient } from '../../../src/client/index.ts';
import { ADA, BOB } from '../../support/app.ts';
import { type Browser, type Context, describeIn, ENGINES, type Engine } from '../browser/browsers.ts';
import { type Gate, openGate } from './gate.ts';
import { type OtherService, serveOther } from './other-service.ts';
import { openTab, pageWithClient, type Tab } from './tabs.ts';

const WITHOUT_LOCKS = 'delete Navigator.prototype.locks;';
const TRANSPORTS = {
  cookie: 'idcard.cookie()',
  'bearer in localStorage': 'idcard.bearer(idcard.keyValueStorage(localStorage))',
  dpop: 'idcard.dpop()',
};
const LOG_IN = `await client.login(${JSON.stringify(ADA)})`;
/** Ten callers at once; the status of each answer. */
const CALL = `return Promise.all(Array.from({ length: 10 }, async () => (await client.fetch('/v1/me')).status))`;
/** Spoils the access token wherever a script can. */
const SPOIL = {
  cookie: '',
  'bearer in localStorage': `
    const login = JSON.parse(localStorage.idcard);
    login.tokens.access_token += 'A';
    localStorage.idcard = JSON.stringify(login);`,
  dpop: `
    const storage = idcard.indexedDbStorage();
    const login = await storage.get();
    login.tokens.access_token += 'A';
    await storage.set(login);`,
};
/** Other work may slow the machine. */
const SOON = { timeout: 10_000 };
type Name = keyof typeof TRANSPORTS;

/** What holds for the client in each engine: a file for each, since together they would be the longest by far. */
export function describeClientIn(name: Engine['name']): void {
  describeIn(
    ENGINES.filter((engine) => engine.name === name),
    'the client',
    scenarios,
  );
}

function scenarios(engine: Engine): void {
  let browser: Browser;
  let gate: Gate;
  let other: OtherService;
  /** An app that is served from elsewhere than idcard. */
  let app: OtherService;
  let appOrigin: string;
  let context: Context;

  beforeAll(async () => {
    [app, other] = [await serveOther(), await serveOther()];
    appOrigin = app.url.replace('127.0.0.1', 'localhost');
    gate = await openGate({ ALLOWED_ORIGINS: appOrigin });
    gate.page = await pageWithClient();
    app.answer = (response) => response.setHeader('content-type', 'text/html').write(gate.page);
    for (const user of [ADA, BOB]) await createClient({ url: gate.url, transport: bearer() }).register(user);
    browser = await engine.open();
  });
  afterAll(async () => {
    await browser?.close();
    app?.close();
    other?.close();
    await gate?.close();
  });
  beforeEach(async () => {
    gate.reset();
    other.requests.length = 0;
    other.answer = () => undefined;
    context = await browser.newContext();
  });
  afterEach(() => context.close());

  function open(name: Name, prepare = '', origin = gate.url): Promise<Tab> {
    return openTab(context, { origin, url: gate.url, transport: TRANSPORTS[name], prepare });
  }

  async function cookieNames(): Promise<string[]> {
    return (await context.cookies(gate.url)).map(({ name }) => name);
  }

  const cases: [Name, string, string][] = [
    ['cookie', 'with Web Locks', ''],
    ['cookie', 'without Web Locks', WITHOUT_LOCKS],
    ['bearer in localStorage', 'with Web Locks', ''],
    ['bearer in localStorage', 'without Web Locks', WITHOUT_LOCKS],
    ['dpop', 'with Web Locks', ''], // where there is WebCrypto, there are Web Locks
  ];

  describe.each(cases)('two tabs, %s, %s', (name, _locks, prepare) => {
    let one: Tab;
    let two: Tab;
    beforeEach(async () => {
      [one, two] = [await open(name, prepare), await open(name, prepare)];
      expect(await one.run('return typeof navigator.locks')).toBe(prepare ? 'undefined' : 'object');
      await one.run(LOG_IN);
      await expect.poll(two.events, SOON).toEqual([{ type: 'login' }]);
    });

    async function spoil(): Promise<void> {
      if (name === 'cookie') await context.clearCookies({ name: 'access' });
      await one.run(SPOIL[name]);
    }

    test('have one login, and renew it once', async () => {
      await spoil();
      const before = await gate.refreshes();
      const statuses = await Promise.all([one.run(CALL), two.run(CALL)]);
      expect(statuses.flat()).toEqual(Array(20).fill(200));
      expect((await gate.refreshes()) - before).toBe(1);
    });

    test('hear of a logout, each once', async () => {
      await two.run('await client.logout()');
      const ended = { type: 'loginEnded', reason: 'logout' };
      await expect.poll(one.events, SOON).toEqual([{ type: 'login' }, ended]);
      await expect.poll(two.events, SOON).toEqual([{ type: 'login' }, ended]);
      expect(
        await Promise.all([one.run('return client.user()'), two.run('return client.isLoggedIn()')]),
      ).toEqual([undefined, false]);
      expect(await cookieNames()).not.toContain('refresh');
    });

    test('hear that the service renews it no more, each once', async () => {
      await spoil();
      gate.instead = (path) => (path === '/v1/refresh' ? refusal : undefined);
      expect(await Promise.all([one.run(CALL), two.run(CALL)])).toEqual(Array(2).fill(Array(10).fill(401)));
      const ended = { type: 'loginEnded', reason: 'refused' };
      await expect.poll(one.events, SOON).toEqual([{ type: 'login' }, ended]);
      await expect.poll(two.events, SOON).toEqual([{ type: 'login' }, ended]);
    });

    test('stay logged out when that happens in one while the other renews', async () => {
      await spoil();
      const renewal = await holdRenewals();
      const call = one.run(CALL);
      await renewal.arrived;
      const logout = two.run('await client.logout()');
      await Promise.race([logout, sleep(500)]); // a logout that did not wait would be over now
      renewal.goOn();
      await Promise.all([call, logout]);
      expect(await one.run('return client.isLoggedIn()')).toBe(false);
      expect(await cookieNames()).not.toContain('refresh');
      expect(await two.run('return client.user()')).toBeUndefined();
    });

    test('are both whoever logged in last, while one renews', async () => {
      await spoil();
      const renewal = await holdRenewals();
      const call = one.run<number[]>(CALL);
      await renewal.arrived;
      const login = two.run(`await client.login(${JSON.stringify(BOB)})`);
      await Promise.race([login, sleep(1000)]);
      renewal.goOn();
      await Promise.all([call, login]);
      for (const tab of [one, two])
        expect(await tab.run('return client.user()')).toMatchObject({ email: BOB.email });
    });
  });

  const refusal = {
    status: 401,
    headers: { 'content-type': 'application/problem+json' },
    body: JSON.stringify({ type: 'urn:idcard:problem:invalid-token', status: 401 }),
  };

  /** The answers to renewals wait until they may go on. */
  async function holdRenewals(): Promise<{ arrived: Promise<void>; goOn: () => void }> {
    const [arrived, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    gate.after = async (path) => {
      if (path !== '/v1/refresh') return undefined;
      arrived.resolve();
      await released.promise;
      return undefined;
    };
    return { arrived: arrived.promise, goOn: released.resolve };
  }

  test('with cookies no script can reach a token', async () => {
    const tab = await open('cookie');
    await tab.run(LOG_IN);
    await context.clearCookies({ name: 'access' });
    expect(await tab.run(CALL)).toEqual(Array(10).fill(200));
    const reachable = await tab.run(`
      const databases = await indexedDB.databases();
      const cookies = await cookieStore.getAll();
      return JSON.stringify([document.cookie, cookies, { ...localStorage }, { ...sessionStorage }, databases]);`);
    expect(reachable).toMatch(/^\["",\[\],{"idcard":/);
    expect(gate.passages.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['/v1/login', '/v1/refresh']),
    );
    for (const text of [reachable, ...gate.passages.map(({ body }) => body)])
      expect(text).not.toMatch(/eyJ|access_token/);
    expect(await cookieNames()).toEqual(expect.arrayContaining(['access', 'refresh']));
  });

  test.each(Object.keys(TRANSPORTS) as Name[])('from another origin that is allowed: %s', async (name) => {
    const tab = await open(name, '', appOrigin);
    await tab.run(LOG_IN);
    if (name === 'cookie') await context.clearCookies({ name: 'access' });
    await tab.run(SPOIL[name]);
    const before = await gate.refreshes();
    const body = `return (await client.fetch('${gate.url}/v1/me', { headers: { 'content-type': 'application/json' } })).status`;
    expect(await tab.run(body)).toBe(200);
    expect((await gate.refreshes()) - before).toBe(1);
    await tab.run('await client.logout()');
    expect(await tab.run('return client.user()')).toBeUndefined();
  });

  test('a page that finds cookies of an earlier visit is logged in', async () => {
    const tab = await open('cookie');
    await tab.run(`${LOG_IN}; localStorage.clear()`);
    await tab.page.reload();
    expect(await tab.run('return client.user()')).toMatchObject({ email: ADA.email });
    await context.clearCookies({ name: 'access' });
    expect(await tab.run('return client.user()')).toMatchObject({ email: ADA.email });
    expect(await tab.run('return client.isLoggedIn()')).toBe(true);
  });

  test('a storage that was emptied by nobody knows whom is the end of a login', async () => {
    const tab = await open('bearer in localStorage');
    await tab.run(`${LOG_IN}; localStorage.clear()`);
    expect(await tab.run('return client.isLoggedIn()')).toBe(false);
    await expect
      .poll(tab.events, SOON)
      .toEqual([{ type: 'login' }, { type: 'loginEnded', reason: 'logout' }]);
  });

  test('a storage that is forbidden leaves the cookies to work', async () => {
    const forbid =
      "Object.defineProperty(window, 'localStorage', { get() { throw new Error('forbidden') } })";
    const tab = await open('cookie', forbid);
    await tab.run(LOG_IN);
    await context.clearCookies({ name: 'access' });
    expect(await tab.run(CALL)).toEqual(Array(10).fill(200));
  });

  test('a key of DPoP outlives the page and cannot be extracted', async () => {
    const tab = await open('dpop');
    await tab.run(LOG_IN);
    await tab.page.reload();
    expect(await tab.run('return client.user()')).toMatchObject({ email: ADA.email });
    const extracted = tab.run(`
      const { key } = await idcard.indexedDbStorage().get();
      return crypto.subtle.exportKey('jwk', key.privateKey);`);
    await expect(extracted).rejects.toThrow('InvalidAccessError');
    expect(await tab.run('return JSON.stringify({ ...localStorage })')).toBe('{}');
  });

  test('tokens of DPoP that were carried out of the page are worth nothing', async () => {
    const tab = await open('dpop');
    await tab.run(LOG_IN);
    const loot = await tab.run<{ tokens: { access_token: string; refresh_token: string } }>(
      'return JSON.parse(JSON.stringify(await idcard.indexedDbStorage().get()))',
    );
    const { access_token, refresh_token } = loot.tokens;
    for (const scheme of ['Bearer', 'DPoP']) {
      const headers = { authorization: `${scheme} ${access_token}` };
      expect((await fetch(`${gate.url}/v1/me`, { headers })).status).toBe(401);
    }
    const body = JSON.stringify({ refresh_token });
    const headers = { 'content-type': 'application/json' };
    expect((await fetch(`${gate.url}/v1/refresh`, { method: 'POST', headers, body })).status).toBe(400);
  });

  test.each([
    ['text', "'all of it'"],
    [
      'a form',
      "Object.entries({ name: 'all of it' }).reduce((form, [n, v]) => (form.append(n, v), form), new FormData())",
    ],
    ['a file', "new Blob(['all of it'], { type: 'text/plain' })"],
  ])('a request that is repeated has its body again: %s', async (_name, body) => {
    const transport = TRANSPORTS['bearer in localStorage'];
    const tab = await openTab(context, { origin: gate.url, url: gate.url, transport, origins: [other.url] });
    await tab.run(LOG_IN);
    other.answer = (response, index) => {
      response.setHeader('access-control-expose-headers', 'WWW-Authenticate');
      response.setHeader('www-authenticate', 'Bearer error="invalid_token"');
      response.statusCode = index === 0 ? 401 : 200;
    };
    const init = `{ method: 'POST', body: ${body} }`;
    expect(await tab.run(`return (await client.fetch('${other.url}/', ${init})).status`)).toBe(200);
    const [first, second] = other.requests;
    expect(first?.body).toContain('all of it');
    expect(second?.body).toBe(first?.body);
    expect(second?.headers['content-type']).toBe(first?.headers['content-type']);
  });

  test('a redirect to another origin takes nothing with it', async () => {
    for (const name of ['bearer in localStorage', 'dpop'] as const) {
      const tab = await open(name);
      const moved = { status: 307, headers: { location: `${other.url}/loot` } };
      gate.instead = (path) => (path === '/v1/login' ? moved : undefined); // not the icon of the page
      await expect(tab.run(LOG_IN)).rejects.toThrow('is a redirect');
      gate.reset();
      await tab.run(LOG_IN);
      gate.instead = (path) => (path === '/moved' ? moved : undefined);
      await expect(tab.run("await client.fetch('/moved')")).rejects.toThrow('is a redirect');
      await tab.run(`await client.fetch('${other.url}/direct')`);
      gate.reset();
    }
    expect(other.requests.map(({ path }) => path)).toEqual(['/direct', '/direct']);
    for (const { headers } of other.requests)
      expect([headers.authorization, headers.dpop, headers.cookie]).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
  });

  test.each([-600, 600])('a clock that is %i s wrong changes nothing', async (seconds) => {
    const wrong = `const { now } = Date; Date.now = () => now() + ${seconds} * 1000;`;
    const tab = await open('dpop', wrong);
    await tab.run(LOG_IN);
    const before = await gate.refreshes();
    expect(await tab.run(CALL)).toEqual(Array(10).fill(200));
    expect((await gate.refreshes()) - before).toBe(0);
  });

  test.each([
    ['of a tab that was closed holds up others for five seconds at most', 4000],
    ['from before the clock was set back holds up nobody', 3_600_000],
  ])('a lease %s', async (_name, leftMs) => {
    const tab = await open('cookie', WITHOUT_LOCKS);
    await tab.run(LOG_IN);
    await context.clearCookies({ name: 'access' });
    const body = `localStorage['idcard lease'] = 'closed ' + (Date.now() + ${leftMs}); ${CALL}`;
    expect(await tab.run(body)).toEqual(Array(10).fill(200));
  });
}
