import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ADA } from '../../support/app.ts';
import { document } from '../../support/document.ts';
import { type Gate, openGate } from '../client/gate.ts';
import { type Browser, CHROMIUM_AND_WEBKIT, type Context, describeIn, type Page } from './browsers.ts';
import { complaintsOf, withComplaints } from './complaints.ts';
import { FAINT_TEXTS } from './contrast.ts';

const operationIds = Object.values(document.paths ?? {}).flatMap((methods) =>
  Object.values(methods).map(({ operationId }) => String(operationId)),
);

/** Drawing a whole document takes a busy machine long. */
const timeout = 180_000;
/** Longer than the page waits before it completes an operation that was opened. */
const QUIET_MS = 100;
const SOON = { timeout: 20_000 };

describeIn(CHROMIUM_AND_WEBKIT, 'the page at /docs', (engine) => {
  let browser: Browser;
  let gate: Gate;
  let context: Context;
  let page: Page;

  beforeAll(async () => {
    gate = await openGate();
    const served = await fetch(`${gate.url}/docs`);
    const { 'content-length': _, ...headers } = Object.fromEntries(served.headers);
    const docs = { status: 200, headers, body: await served.text() };
    gate.instead = withComplaints((path) => (/^\/docs(\?|$)/.test(path) ? docs : undefined));
    browser = await engine.open();
  });
  afterAll(async () => {
    await browser?.close();
    await gate?.close();
  });

  beforeEach(async () => {
    await context?.close();
    context = await browser.newContext();
    page = await context.newPage();
  });

  async function open(query = ''): Promise<void> {
    await page.goto(`${gate.url}/docs${query}`);
    const shown = () => page.evaluate("document.querySelectorAll('.opblock').length");
    await expect.poll(shown, SOON).toBe(operationIds.length);
  }

  /** Errors, violations of the policy, and what the page asked of other servers. */
  async function complaints(): Promise<unknown> {
    const addresses = "performance.getEntriesByType('resource').map(({ name }) => name)";
    const asked = (await page.evaluate(addresses)) as string[];
    return [
      ...(await complaintsOf(page)),
      ...asked.filter((url) => !url.startsWith(`${gate.url}/`) && !url.startsWith('data:')),
    ];
  }

  const blockOf = (operationId: string) => `.opblock[id$="-${operationId}"]`;

  /** By a script, since the page moves what is clicked; and when it has drawn everything: an operation is completed late. */
  async function click(selector: string): Promise<void> {
    await page.evaluate(`(async () => {
      await new Promise((done) => {
        let timer;
        const wait = () => {
          clearTimeout(timer);
          timer = setTimeout(done, ${QUIET_MS});
        };
        new MutationObserver(wait).observe(document.body, { subtree: true, childList: true, attributes: true });
        wait();
      });
      document.querySelector('${selector}').click();
    })()`);
  }

  async function toggle(operationId: string): Promise<void> {
    await click(`${blockOf(operationId)} .opblock-summary-control`);
  }

  /** Executes an operation as it stands there, or with another body, and returns the status that the page shows. */
  async function execute(operationId: string, body?: object): Promise<string> {
    const block = blockOf(operationId);
    await toggle(operationId);
    if (body) await page.fill(`${block} textarea.body-param__text`, JSON.stringify(body));
    gate.passages.length = 0;
    await click(`${block} button.execute`);
    await expect.poll(() => gate.passages.length, SOON).toBe(1);
    const status = String(gate.passages[0]?.status);
    const shown = `document.querySelector('${block} .live-responses-table tbody .response-col_status')?.textContent`;
    await expect.poll(() => page.evaluate(shown), SOON).toContain(status);
    return status;
  }

  /** The same, and closes it again: what is open is drawn anew with every change. */
  async function tryOut(operationId: string, body?: object): Promise<string> {
    const status = await execute(operationId, body);
    await toggle(operationId);
    return status;
  }

  test('shows every operation, from this server alone and within its policy', { timeout }, async () => {
    await open();
    const ids = "[...document.querySelectorAll('.opblock')].map(({ id }) => id.split('-').at(-1))";
    expect(((await page.evaluate(ids)) as string[]).sort()).toEqual([...operationIds].sort());
    expect(await complaints()).toEqual([]);
  });

  test('takes no other document from its address', { timeout }, async () => {
    const evil = 'https://evil.example/openapi.json';
    await open(`?url=${evil}&urls=${evil}&configUrl=${evil}&oauth2RedirectUrl=${evil}`);
    expect(await page.evaluate("document.querySelector('.title').innerText")).toContain('idcard');
    expect(await complaints()).toEqual([]);
  });

  // WebKit draws so slowly that a few routes, in the next test, must do.
  const inChromium = test.runIf(engine.name === 'Chromium');
  inChromium('registers, logs in, and calls every route with the tokens it got', { timeout }, async () => {
    await open();
    expect(await tryOut('register', ADA)).toBe('201');
    expect(await tryOut('login', ADA)).toBe('200');
    for (const id of operationIds.filter(
      (id) => !/^(register|login|logout|logoutEverywhere|changePassword)$/.test(id),
    )) {
      expect(`${id} ${await tryOut(id)}`).toBe(`${id} 200`);
    }
    expect(await tryOut('changePassword')).toBe('200');
    expect(await tryOut('getMe')).toBe('200');
    expect(await tryOut('logoutEverywhere')).toBe('204');
    expect(await complaints()).toEqual([]);
    expect(await tryOut('getMe')).toBe('401');
  });

  test('follows the browser to cookies and back, and sends one credential at a time', {
    timeout,
  }, async () => {
    const eve = { email: 'eve@example.com', password: ADA.password };
    await open();
    expect(await tryOut('register', eve)).toBe('201');
    expect(await tryOut('login', eve)).toBe('200');
    expect(await tryOut('login', { ...eve, transport: 'cookie' })).toBe('204');
    expect(await tryOut('getMe')).toBe('200');
    expect(await tryOut('login', eve)).toBe('200');
    expect(await tryOut('getMe')).toBe('200');
    expect(await tryOut('refresh')).toBe('200');
    expect(await tryOut('logout')).toBe('204');
    expect(await tryOut('getMe')).toBe('401');
  });

  // WebDriver can tell WebKit neither the width of a telephone nor a scheme of colours.
  inChromium.each(['light', 'dark'])(
    'on a telephone that is %s, it is read without scrolling sideways, in the colours of the system',
    { timeout },
    async (scheme) => {
      page = await openTelephone(scheme);
      const look = () => page.evaluate(`[document.documentElement.scrollWidth - innerWidth, ${FAINT_TEXTS}]`);
      await open();
      expect(await look()).toEqual([0, []]);
      expect(await page.evaluate('getComputedStyle(document.documentElement).colorScheme')).toBe(scheme);
      await tryOut('register', { email: `${scheme}@example.com`, password: ADA.password });
      for (const id of ['login', 'changePassword', 'verify', 'getRevocations']) {
        await execute(id);
        expect([id, await look()]).toEqual([id, [0, []]]);
        await toggle(id);
      }
      await page.click('.btn.authorize');
      expect(await look()).toEqual([0, []]);
    },
  );

  async function openTelephone(scheme: string): Promise<Page> {
    await context.close();
    context = await browser.newContext({
      viewport: { width: 390, height: 844 },
      colorScheme: scheme === 'dark' ? 'dark' : 'light',
    });
    return context.newPage();
  }

  test('forgets the tokens with a reload, and writes them nowhere', { timeout }, async () => {
    const mallory = { email: 'mallory@example.com', password: ADA.password };
    await open();
    await tryOut('register', mallory);
    expect(await tryOut('login', mallory)).toBe('200');
    const stored = await page.evaluate('JSON.stringify([localStorage, sessionStorage, document.cookie])');
    expect(stored).toBe('[{},{},""]');
    await open();
    expect(await tryOut('getMe')).toBe('401');
  });
});
