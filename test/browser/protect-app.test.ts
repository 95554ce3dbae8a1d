import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADA } from '../support/app.ts';
import { PROXIES, type ProtectedApp, startProtectedApp } from '../support/protected-app.ts';
import { lacks } from '../support/system.ts';
import { isChromiumMissing, openChromium } from './chromium.ts';
import { serveHostilePage } from './hostile-page.ts';

describe.each(PROXIES)('in a browser, an application behind $name', (proxy) => {
  describe.skipIf(isChromiumMissing || lacks(proxy.name))('whose user is logged in by cookie', () => {
    let proxied: ProtectedApp;
    let hostile: { port: number; close: () => void };
    let browser: Browser;
    let context: BrowserContext;

    beforeAll(async () => {
      proxied = await startProtectedApp(proxy, { host: 'localhost' });
      hostile = await serveHostilePage();
      browser = await openChromium();
      context = await browser.newContext();
      expect(await logIn()).toBe(204);
    });
    afterAll(async () => {
      await browser?.close();
      hostile?.close();
      await proxied?.stop();
    });

    async function openPage(url: string): Promise<Page> {
      const page = await context.newPage();
      await page.goto(url);
      return page;
    }

    /** From a page of the same origin, as an operator may have one. @returns the status */
    async function logIn(): Promise<number> {
      const page = await context.newPage();
      await page.route(`${proxied.origin}/login`, (route) =>
        route.fulfill({ contentType: 'text/html', body: '<body>log in' }),
      );
      await page.goto(`${proxied.origin}/login`);
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify({ ...ADA, transport: 'cookie' });
      return page.evaluate(async (init) => (await fetch('/v1/login', init)).status, {
        method: 'POST',
        headers,
        body,
      });
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
