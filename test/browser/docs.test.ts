import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ADA } from '../support/app.ts';
import { document } from '../support/document.ts';
import { type ServerProcess, startServer } from '../support/process.ts';
import { CHROMIUM, isChromiumMissing, openChromium } from './chromium.ts';
import { FAINT_TEXTS } from './contrast.ts';

const operationIds = Object.values(document.paths ?? {}).flatMap((methods) =>
  Object.values(methods).map(({ operationId }) => String(operationId)),
);

/** Drawing a whole document takes a busy machine long. */
const options = { timeout: 180_000 };

describe.skipIf(isChromiumMissing)(`the page at /docs, in a browser (${CHROMIUM})`, options, () => {
  let browser: Browser;
  let server: ServerProcess;
  let context: BrowserContext;
  let page: Page;
  /** What the page asked of other servers: blocked. */
  let elsewhere: string[];
  /** Errors and violations of the policy. */
  let complaints: string[];

  beforeAll(async () => {
    server = await startServer();
    browser = await openChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  beforeEach(async () => {
    await context?.close();
    elsewhere = [];
    complaints = [];
    context = await browser.newContext();
    await context.route(
      (url) => url.origin !== server.url,
      (route) => {
        elsewhere.push(route.request().url());
        return route.abort();
      },
    );
    page = await context.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    page.on('pageerror', ({ message }) => complaints.push(message));
  });

  async function open(query = ''): Promise<void> {
    await page.goto(`${server.url}/docs${query}`);
    await page
      .locator('.opblock')
      .nth(operationIds.length - 1)
      .waitFor();
  }

  /** Executes an operation as it stands there, or with another body, and returns the status that the page shows. */
  async function execute(operationId: string, body?: object): Promise<string> {
    const block = page.locator(`.opblock[id$="-${operationId}"]`);
    const summary = block.locator('.opblock-summary-control');
    await summary.click();
    if (body) await block.locator('textarea.body-param__text').fill(JSON.stringify(body));
    const answered = page.waitForResponse((response) => response.url().startsWith(`${server.url}/`));
    await block.locator('button.execute').click();
    const status = String((await answered).status());
    await block.locator('.live-responses-table tbody .response-col_status', { hasText: status }).waitFor();
    await summary.click(); // what is open is drawn anew with every change
    return status;
  }

  test('shows every operation, from this server alone and within its policy', async () => {
    await open();
    const shown = await page.locator('.opblock').evaluateAll((blocks) => blocks.map(({ id }) => id));
    expect(shown.map((id) => id.split('-').at(-1)).sort()).toEqual([...operationIds].sort());
    expect([elsewhere, complaints]).toEqual([[], []]);
  });

  test('takes no other document from its address', async () => {
    const evil = 'https://evil.example/openapi.json';
    await open(`?url=${evil}&urls=${evil}&configUrl=${evil}&oauth2RedirectUrl=${evil}`);
    expect(await page.locator('.title').innerText()).toContain('idcard');
    expect([elsewhere, complaints]).toEqual([[], []]);
  });

  test('registers, logs in, and calls every route with the tokens it got', async () => {
    await open();
    expect(await execute('register', ADA)).toBe('201');
    expect(await execute('login', ADA)).toBe('200');
    for (const id of operationIds.filter(
      (id) => !/^(register|login|logout|logoutEverywhere|changePassword)$/.test(id),
    )) {
      expect(`${id} ${await execute(id)}`).toBe(`${id} 200`);
    }
    expect(await execute('changePassword')).toBe('200');
    expect(await execute('getMe')).toBe('200');
    expect(await execute('logoutEverywhere')).toBe('204');
    expect([elsewhere, complaints]).toEqual([[], []]);
    expect(await execute('getMe')).toBe('401');
  });

  test('follows the browser to cookies and back, and sends one credential at a time', async () => {
    const eve = { email: 'eve@example.com', password: ADA.password };
    await open();
    expect(await execute('register', eve)).toBe('201');
    expect(await execute('login', eve)).toBe('200');
    expect(await execute('login', { ...eve, transport: 'cookie' })).toBe('204');
    expect(await execute('getMe')).toBe('200');
    expect(await execute('login', eve)).toBe('200');
    expect(await execute('getMe')).toBe('200');
    expect(await execute('refresh')).toBe('200');
    expect(await execute('logout')).toBe('204');
    expect(await execute('getMe')).toBe('401');
  });

  test.each(['light', 'dark'] as const)(
    'on a telephone that is %s, it is read without scrolling sideways, in the colours of the system',
    async (colorScheme) => {
      await page.setViewportSize({ width: 390, height: 844 });
      await page.emulateMedia({ colorScheme });
      const person = { email: `${colorScheme}@example.com`, password: ADA.password };
      const look = () => page.evaluate(`[document.documentElement.scrollWidth - innerWidth, ${FAINT_TEXTS}]`);
      await open();
      expect(await look()).toEqual([0, []]);
      expect(await page.evaluate('getComputedStyle(document.documentElement).colorScheme')).toBe(colorScheme);
      await execute('register', person);
      for (const id of ['login', 'changePassword', 'verify', 'getRevocations']) {
        const block = page.locator(`.opblock[id$="-${id}"]`);
        await block.locator('.opblock-summary-control').click();
        await block.locator('button.execute').click();
        await block.locator('.live-responses-table').waitFor();
        expect([id, await look()]).toEqual([id, [0, []]]);
        await block.locator('.opblock-summary-control').click();
      }
      await page.locator('.btn.authorize').first().click();
      expect(await look()).toEqual([0, []]);
    },
  );

  test('forgets the tokens with a reload, and writes them nowhere', async () => {
    const mallory = { email: 'mallory@example.com', password: ADA.password };
    await open();
    await execute('register', mallory);
    expect(await execute('login', mallory)).toBe('200');
    const stored = await page.evaluate('JSON.stringify([localStorage, sessionStorage, document.cookie])');
    expect(stored).toBe('[{},{},""]');
    await open();
    expect(await execute('getMe')).toBe('401');
  });
});
