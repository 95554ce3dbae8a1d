import { setTimeout as sleep } from 'node:timers/promises';
import type { Page as ChromiumPage } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bearer, createClient } from '../../../src/client/index.ts';
import { ADA } from '../../support/app.ts';
import { type Gate, openGate } from '../client/gate.ts';
import { type Browser, CHROMIUM_AND_WEBKIT, type Context, describeIn } from './browsers.ts';
import { FAINT_TEXTS } from './contrast.ts';
import { type AppTab, buildApp, type Mode, openApp } from './spa.ts';

const TTL_SECONDS = 10;
const MODES: Mode[] = ['cookie', 'dpop'];
const LOGGED_OUT = 'You have logged out.';

describeIn(CHROMIUM_AND_WEBKIT, 'the single-page app', (engine) => {
  let browser: Browser;
  let gate: Gate;
  let context: Context;
  let tabs: AppTab[];

  beforeAll(async () => {
    gate = await openGate({
      ACCESS_TOKEN_TTL_SECONDS: String(TTL_SECONDS),
    });
    gate.instead = await buildApp();
    await createClient({ url: gate.url, transport: bearer() }).register(ADA);
    browser = await engine.open();
  });
  afterAll(async () => {
    await browser?.close();
    await gate?.close();
  });
  beforeEach(async () => {
    gate.passages.length = 0;
    tabs = [];
    context = await browser.newContext({ viewport: { width: 800, height: 500 } });
  });
  afterEach(async () => {
    const complaints = await Promise.all(tabs.map((tab) => tab.complaints()));
    await context.close();
    expect(complaints.flat()).toEqual([]);
  });

  async function open(mode: Mode, inContext = context): Promise<AppTab> {
    const tab = await openApp(inContext, gate.url, mode);
    tabs.push(tab);
    return tab;
  }

  async function openLoggedIn(mode: Mode, inContext = context): Promise<AppTab> {
    const tab = await open(mode, inContext);
    await tab.submit('Log in');
    await tab.seesLogin();
    return tab;
  }

  describe.each(MODES)('with %s', (mode) => {
    test('somebody registers, logs out and logs in', async () => {
      const grace = { email: `grace.${mode}@example.com`, password: ADA.password };
      const tab = await open(mode);
      await tab.submit('Register', grace);
      await tab.seesLogin(grace.email);
      await tab.click('Log out');
      await tab.seesEnd(LOGGED_OUT);
      await tab.submit('Log in', { ...grace, password: 'not the password of Grace' });
      await tab.sees('The email or the password is wrong');
      await tab.submit('Log in', grace);
      await tab.seesLogin(grace.email);
    });

    test('the API is called with the login, and a reload keeps it', async () => {
      const tab = await openLoggedIn(mode);
      await tab.call(1);
      expect(await tab.complaints()).toEqual([]);
      await tab.page.reload();
      await tab.seesLogin();
      await tab.call(1);
    });

    test('a login and a logout in one tab are seen by the other', async () => {
      const other = await open(mode);
      const tab = await openLoggedIn(mode);
      await other.seesLogin();
      await tab.click('Log out');
      for (const each of [tab, other]) await each.seesEnd(LOGGED_OUT);
    });

    test('a logout everywhere ends the login of another browser within a poll', async () => {
      const elsewhere = await browser.newContext();
      const tab = await openLoggedIn(mode);
      const other = await openLoggedIn(mode, elsewhere);
      await tab.click('Log out everywhere');
      await tab.seesEnd(LOGGED_OUT);
      const asksForLogin = () =>
        other.page.evaluate(`(() => {
          document.querySelector('#call').click();
          return document.body.innerText.includes('Your login has ended.');
        })()`);
      // A poll is 2 s; by itself the access token would not end so soon.
      await expect.poll(asksForLogin, { timeout: 1000 * (TTL_SECONDS - 3), interval: 200 }).toBe(true);
      expect(await other.complaints()).toEqual([]);
      tabs.splice(tabs.indexOf(other), 1);
      await elsewhere.close();
    });
  });

  test('an expired login is renewed once by the next call', async () => {
    const opened = [await openLoggedIn('cookie'), await openLoggedIn('dpop')];
    await expireAccessTokens();
    for (const tab of opened) {
      const before = await gate.refreshes();
      await tab.call(1);
      expect((await gate.refreshes()) - before).toBe(1);
      await tab.sees('Renewals by this tab: 1');
    }
    const [tab] = opened;
    // For the example's README: SCREENSHOT=examples/spa/screenshot.png npx vitest run test/system/browser/spa.test.ts
    const { SCREENSHOT } = process.env;
    if (tab && SCREENSHOT && engine.name === 'Chromium')
      await (tab.page as ChromiumPage).screenshot({ path: SCREENSHOT });
  });

  test('two tabs that call several times at once renew an expired login once', async () => {
    for (const mode of MODES) {
      await openLoggedIn(mode);
      await (await open(mode)).seesLogin();
    }
    await expireAccessTokens();
    for (const pair of [tabs.slice(0, 2), tabs.slice(2)]) {
      const before = await gate.refreshes();
      await Promise.all(pair.map((tab) => tab.call(5)));
      expect((await gate.refreshes()) - before).toBe(1);
    }
  });

  /** Those of all who are logged in now. */
  function expireAccessTokens(): Promise<void> {
    return sleep(1000 * TTL_SECONDS + 500);
  }

  test('with cookies no script can read a token', async () => {
    const tab = await openLoggedIn('cookie');
    await context.clearCookies({ name: 'access' });
    await tab.call(1);
    const readable = await tab.page.evaluate(`(async () => JSON.stringify([
      document.cookie, await cookieStore.getAll(), await indexedDB.databases(), { ...sessionStorage }, { ...localStorage }
    ]))()`);
    expect(readable).toMatch(/^\["",\[\],\[\],\{\},\{"idcard":/);
    const answers = gate.passages.filter(({ path }) => path.startsWith('/v1/'));
    expect(answers.map(({ path }) => path)).toEqual(expect.arrayContaining(['/v1/login', '/v1/refresh']));
    for (const text of [readable, ...answers.map(({ body }) => body)])
      expect(text).not.toMatch(/eyJ|access_token/);
  });

  test('with DPoP the key cannot be extracted, and tokens are in IndexedDB alone', async () => {
    const tab = await openLoggedIn('dpop');
    const exported = tab.page.evaluate(`(async () => {
      const database = await new Promise((resolve) => {
        indexedDB.open('idcard').onsuccess = ({ target }) => resolve(target.result);
      });
      const login = await new Promise((resolve) => {
        database.transaction('login').objectStore('login').get('login').onsuccess = ({ target }) => resolve(target.result);
      });
      database.close();
      return crypto.subtle.exportKey('jwk', login.key.privateKey);
    })()`);
    await expect(exported).rejects.toThrow('InvalidAccessError');
    expect(await tab.page.evaluate('[document.cookie, localStorage.length, sessionStorage.length]')).toEqual([
      '',
      0,
      0,
    ]);
  });

  test.each(MODES)('a first visit asks nothing that fails, with %s', async (mode) => {
    await (await open(mode)).seesForm();
    expect(gate.passages.filter(({ status }) => status >= 400)).toEqual([]);
  });

  // WebDriver can tell WebKit neither the width of a telephone nor a scheme of colours.
  test.runIf(engine.name === 'Chromium').each(['light', 'dark'] as const)(
    'on a telephone that is %s, all of it is read, and errors stand at their fields',
    async (colorScheme) => {
      const telephone = await browser.newContext({ viewport: { width: 390, height: 844 }, colorScheme });
      const tab = await open('cookie', telephone);
      await tab.page.evaluate("document.querySelector('form').noValidate = true"); // as a page without its own checks
      await tab.submit('Register', { email: 'eve', password: 'otters' });
      await tab.sees('Must be an email address.');
      await tab.sees('Must have at least 15 characters.');
      const look = () =>
        tab.page.evaluate(`[document.documentElement.scrollWidth - innerWidth, ${FAINT_TEXTS}]`);
      expect(await look()).toEqual([0, []]);
      await tab.submit('Log in');
      await tab.seesLogin();
      const errors = "[...document.querySelectorAll('small')].map(({ textContent }) => textContent)";
      expect(await tab.page.evaluate(errors)).toEqual(['', '']);
      expect(await look()).toEqual([0, []]);
    },
  );

  test("a script that is injected is stopped by the page's policy", async () => {
    const tab = await open('cookie');
    const inject = "document.body.innerHTML = '<img src=x onerror=alert()>'";
    await expect(tab.page.evaluate(inject)).rejects.toThrow('TrustedHTML');
    await expect.poll(() => tab.complaints()).toEqual([expect.stringContaining('trusted-types')]);
  });
});
