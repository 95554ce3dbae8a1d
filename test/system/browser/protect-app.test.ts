import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADA } from '../../support/app.ts';
import { PROXIES, type ProtectedApp, startProtectedApp } from '../../support/protected-app.ts';
import { lacks } from '../../support/system.ts';
import { type Browser, CHROMIUM_AND_WEBKIT, type Context, describeIn, type Page } from './browsers.ts';
import { serveHostilePage } from './hostile-page.ts';

describe.each(PROXIES)('behind $name, an application', (proxy) => {
  const engines = CHROMIUM_AND_WEBKIT.map((engine) => ({
    ...engine,
    isMissing: engine.isMissing || lacks(proxy.name),
  }));

  describeIn(engines, 'whose user is logged in by cookie', (engine) => {
    let proxied: ProtectedApp;
    let hostile: { port: number; close: () => void };
    /** A sibling of the application that may log its users in. */
    let friendly: { port: number; close: () => void };
    let browser: Browser;
    let context: Context;

    beforeAll(async () => {
      [hostile, friendly] = [await serveHostilePage(), await serveHostilePage()];
      const ALLOWED_ORIGINS = `http://localhost:${friendly.port}`;
      proxied = await startProtectedApp(proxy, { host: 'localhost', env: { ALLOWED_ORIGINS } });
      browser = await engine.open();
      context = await browser.newContext();
      const page = await openPage(ALLOWED_ORIGINS);
      expect(await logIn(page)).toBe(204);
    });
    afterAll(async () => {
      await browser?.close();
      hostile?.close();
      friendly?.close();
      await proxied?.stop();
    });

    async function openPage(url: string): Promise<Page> {
      const page = await context.newPage();
      await page.goto(url);
      return page;
    }

    /** @returns the status */
    function logIn(page: Page): Promise<unknown> {
      const init = {
        method: 'POST',
        credentials: 'include',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...ADA, transport: 'cookie' }),
      };
      const url = `${proxied.origin}/v1/login`;
      return page.evaluate(`fetch('${url}', ${JSON.stringify(init)}).then(({ status }) => status)`);
    }

    /** What the page reads from the socket of the application. */
    function readSocket(page: Page): Promise<unknown> {
      const url = `${proxied.origin.replace('http', 'ws')}/socket`;
      return page.evaluate(`new Promise((done) => {
        const socket = new WebSocket('${url}');
        socket.onmessage = ({ data }) => done(data);
        socket.onclose = () => done('nothing');
      })`);
    }

    /** A browser asks for the icon of a page as well, when it likes. */
    function askedForSocket() {
      return proxied.received.filter(({ url }) => url === '/socket');
    }

    test('gives its socket to a page of its own', async () => {
      proxied.received.length = 0;
      const page = await openPage(proxied.origin);
      expect(await readSocket(page)).toBe('the socket of the application');
      const sent = askedForSocket().flatMap(({ rawHeaders }) => rawHeaders);
      expect(sent).toContainEqual(expect.stringContaining('access='));
    });

    test.each([
      ['a sibling origin', () => `http://localhost:${hostile.port}`],
      ['another site', () => `http://127.0.0.1:${hostile.port}`],
    ])('gives it to no page of %s', async (_, origin) => {
      const page = await openPage(origin());
      proxied.received.length = 0;
      expect(await readSocket(page)).toBe('nothing');
      expect(askedForSocket()).toEqual([]);
    });
  });
});
