import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ADA, BOB, decode } from '../../support/app.ts';
import { findFreePort, type ServerProcess, startServer } from '../../support/process.ts';
import { type Attempt, attempts, type Reach } from './attempts.ts';
import { type Browser, CHROMIUM_AND_WEBKIT, type Context, describeIn, type Page } from './browsers.ts';
import { serveHostilePage } from './hostile-page.ts';
import { type Passage, type Recorder, record } from './recorder.ts';

/** Other work may slow the machine. */
const SOON = { timeout: 10_000 };
/** What a frame would show of `/v1/me`. */
const ANSWER = /urn:idcard|ada@example/;

describeIn(CHROMIUM_AND_WEBKIT, 'a login by cookie', (engine) => {
  let browser: Browser;
  let server: ServerProcess;
  let recorder: Recorder;
  let hostile: { port: number; close: () => void };
  /** Of an allowed origin, though of another site. */
  let friendly: { port: number; close: () => void };
  let context: Context;
  /** A page of the server's own origin, where the victim is logged in. */
  let own: Page;

  beforeAll(async () => {
    const [port, serverPort] = [await findFreePort(), await findFreePort()];
    const url = `http://localhost:${port}`;
    friendly = await serveHostilePage();
    server = await startServer({
      PORT: String(serverPort),
      PUBLIC_URL: url,
      ALLOWED_ORIGINS: `http://127.0.0.1:${friendly.port}`,
      RATE_LIMITS: 'off',
    });
    recorder = await record(port, serverPort);
    hostile = await serveHostilePage();
    for (const user of [ADA, BOB]) {
      await fetch(`http://127.0.0.1:${serverPort}/v1/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(user),
      });
    }
    browser = await engine.open();
  });
  afterAll(async () => {
    await browser?.close();
    hostile?.close();
    friendly?.close();
    recorder?.close();
    await server?.stop();
  });

  /** A browser without any history, with the victim logged in. */
  async function openBrowser(): Promise<void> {
    context = await browser.newContext();
    own = await context.newPage();
    await own.goto(`${server.url}/own`);
    expect(await ask(own, 'POST', '/v1/login', { ...ADA, transport: 'cookie' })).toBe(204);
  }

  /** The status of a request that a page makes with fetch. */
  function ask(page: Page, method: string, path: string, body?: object): Promise<unknown> {
    const json = body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    return page.evaluate(
      `fetch('${path}', ${JSON.stringify({ method, ...json })}).then(({ status }) => status)`,
    );
  }

  async function cookies(): Promise<Record<string, string>> {
    return Object.fromEntries((await context.cookies(server.url)).map(({ name, value }) => [name, value]));
  }

  describe('on the own origin', () => {
    beforeAll(openBrowser);
    afterAll(() => context.close());

    test('is stored as three cookies of this host alone, HttpOnly and Lax', async () => {
      const shared = { domain: 'localhost', path: '/', httpOnly: true, secure: false, sameSite: 'Lax' };
      const stored = await context.cookies(server.url);
      expect(stored.sort((one, other) => one.name.localeCompare(other.name))).toEqual([
        expect.objectContaining({ name: 'access', ...shared }),
        expect.objectContaining({ name: 'device', ...shared }),
        expect.objectContaining({ name: 'refresh', ...shared }),
      ]);
    });

    test('cannot be read by a script of the own origin', async () => {
      const seen = await own.evaluate('(async () => [document.cookie, await cookieStore.getAll()])()');
      expect(seen).toEqual(['', []]);
    });

    test('works on the own origin: reading, refreshing, logging out', async () => {
      expect(await ask(own, 'GET', '/v1/me')).toBe(200);
      const before = await cookies();
      expect(await ask(own, 'POST', '/v1/refresh')).toBe(204);
      expect((await cookies()).access).not.toBe(before.access);
      expect(await ask(own, 'POST', '/v1/logout')).toBe(204);
      expect(Object.keys(await cookies())).toEqual(['device']);
    });
  });

  const origins: [string, Reach, () => string][] = [
    ['another site', 'cross-site', () => `http://127.0.0.1:${hostile.port}`],
    ['another origin of the same site', 'same-site', () => `http://localhost:${hostile.port}`],
  ];

  describe.each(origins)('a hostile page of %s', (_name, reach, origin) => {
    beforeAll(openBrowser);
    afterAll(() => context.close());
    afterEach(async () => {
      for (const opened of await context.pages()) if (opened !== own) await opened.close();
    });

    test.each(attempts)('gains nothing by $name', async (attempt) => {
      const page = await context.newPage(); // the one before may still be going somewhere
      const before = await cookies();
      recorder.passages.length = 0;
      await page.goto(origin());
      const reading = page.evaluate(`((server) => {${attempt.script}})('${server.url}')`);
      if (attempt.needsClick) await page.click('body');
      const read = await reading;
      await expectArrival(attempt, reach);

      expect(read).toBe('nothing');
      expect(await cookies()).toEqual(before);
      const frames = async () => (await page.frames()).slice(1);
      const shown = async () =>
        Promise.all((await frames()).map((frame) => frame.evaluate('document.documentElement.textContent')));
      if (attempt.frames !== undefined) expect(await frames()).toHaveLength(attempt.frames);
      // Browsers take away some that were refused, a moment later.
      await expect.poll(shown, SOON).not.toContainEqual(expect.stringMatching(ANSWER));
      await expectStillLoggedIn();
    });
  });

  test('a page of another site that is allowed cannot log in for cookies, and reads why', async () => {
    context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`http://127.0.0.1:${friendly.port}`);
    const login = (transport: string) =>
      page.evaluate(`(async () => {
        const answer = await fetch('${server.url}/v1/login', {
          method: 'POST', credentials: 'include', headers: { 'content-type': 'application/json' },
          body: '${JSON.stringify({ ...ADA, transport })}',
        });
        return { status: answer.status, body: await answer.json() };
      })()`);

    expect(await login('cookie')).toMatchObject({
      status: 403,
      body: {
        type: 'urn:idcard:problem:cross-site-request',
        detail: expect.stringContaining('another site'),
      },
    });
    expect(await context.cookies(server.url)).toEqual([]);
    expect(await login('bearer')).toMatchObject({ status: 200, body: { token_type: 'Bearer' } });
    await context.close();
  });

  /** Waits for what the page sent: without it, nothing would have been tried. */
  async function expectArrival({ arrives }: Attempt, reach: Reach): Promise<void> {
    await expect.poll(() => recorder.passages.map(described), SOON).toEqual(arrives[reach]);
    for (const { site } of recorder.passages) expect(site).toBe(reach);
  }

  function described({ method, path, status, hasCookies }: Passage): string {
    return `${method} ${path} ${status}${hasCookies ? ' with cookies' : ''}`;
  }

  async function expectStillLoggedIn(): Promise<void> {
    expect(await ask(own, 'GET', '/v1/me')).toBe(200);
    expect(await ask(own, 'POST', '/v1/refresh')).toBe(204);
    const { ver } = decode((await cookies()).access ?? '');
    expect(ver).toBe(1);
  }
});
