import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePort, temporaryFolder } from '../../support/process.ts';
import { findProgram } from '../../support/system.ts';
import type { Browser, Context, Cookie, Frame, Page } from './browsers.ts';
import { type Place, type Session, startSession } from './webdriver.ts';

/** The browser that WebKitGTK brings along for tests. */
const MINI_BROWSER = globSync('/usr/lib/*/webkit2gtk-4.*/MiniBrowser')[0];

const POLL_MS = 10;
const STILL_MS = 50;

/** The engine of Safari, on a screen that nobody sees. */
export async function openWebKit(): Promise<Browser> {
  const home = temporaryFolder();
  const screen = start('Xvfb', ['-displayfd', '1', '-nolisten', 'tcp']);
  const [display] = await once(screen.stdout ?? screen, 'data'); // the number is one that was free
  const env = { PATH: process.env.PATH ?? '', HOME: home, DISPLAY: `:${String(display).trim()}` };
  const contexts = new Set<Context>();
  return {
    async newContext() {
      const context = await openContext(env, () => contexts.delete(context));
      contexts.add(context);
      return context;
    },
    async close() {
      for (const context of contexts) await context.close();
      await end(screen);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function start(program: string, args: string[], env?: Record<string, string>): ChildProcess {
  return spawn(findProgram(program) ?? program, args, { env, stdio: ['ignore', 'pipe', 'ignore'] });
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'close');
  child.kill();
  await ended;
}

/** With a driver of its own, which knows one session at a time. */
async function openContext(env: Record<string, string>, forget: () => void): Promise<Context> {
  const port = await findFreePort();
  const driver = start('WebKitWebDriver', [`--port=${port}`], env);
  const address = `http://127.0.0.1:${port}`;
  while (!(await fetch(`${address}/status`).catch(() => undefined))) await sleep(POLL_MS);
  const session = await startSession(address, {
    acceptInsecureCerts: true,
    'webkitgtk:browserOptions': { binary: MINI_BROWSER, args: ['--automation'] },
  });
  const known = new Map<string, WebDriverPage>();
  const pageOf = (window: string) => {
    const page = known.get(window) ?? createPage(session, window);
    known.set(window, page);
    return page;
  };
  /** The oldest first. */
  const pages = async () => {
    for (const window of await session.windows()) pageOf(window);
    const windows = new Set(await session.windows());
    return [...known].filter(([window]) => windows.has(window)).map(([, page]) => page);
  };
  const newPage = async () => pageOf(await session.open());

  /** WebDriver tells of the cookies for what a window shows. */
  async function pageAt(url: string): Promise<WebDriverPage> {
    for (const page of await pages()) {
      const shown = await page.command<string>('GET', '/url');
      if (URL.parse(shown)?.hostname === new URL(url).hostname) return page;
    }
    const page = await newPage();
    await page.goto(url);
    return page;
  }

  return {
    newPage,
    pages,
    cookies: async (url) => (await pageAt(url)).command<Cookie[]>('GET', '/cookie'),
    async clearCookies({ name }) {
      for (const page of await pages()) await page.command('DELETE', `/cookie/${name}`);
    },
    async close() {
      forget();
      await session.end();
      await end(driver);
    },
  };
}

type WebDriverPage = ReturnType<typeof createPage>;

function createPage(session: Session, window: string) {
  const command = <T>(...args: CommandArguments) => session.command<T>({ window }, ...args);

  /** What it gives, as soon as it gives something. */
  async function until<T>(look: () => Promise<T>): Promise<T> {
    for (;;) {
      const seen = await look();
      if (seen) return seen;
      await sleep(POLL_MS);
    }
  }

  /** Waits until the element is there. */
  function act(statement: string, ...args: string[]): Promise<boolean> {
    const script = `
      const [selector, text] = arguments;
      const element = document.querySelector(selector);
      if (element) { ${statement} }
      return !!element;`;
    return until(() => command<boolean>('POST', '/execute/sync', { script, args }));
  }

  return {
    command,
    goto: (url: string) => command('POST', '/url', { url }),
    reload: () => command('POST', '/refresh'),
    async click(selector: string) {
      const using = selector.startsWith('//') ? 'xpath' : 'css selector';
      await until(async () => {
        const [element] = await command<object[]>('POST', '/elements', { using, value: selector });
        if (!element) return false;
        const isStill = await command('POST', '/execute/async', { script: SETTLE, args: [element] });
        if (!isStill) return false;
        await command('POST', `/element/${Object.values(element)[0]}/click`);
        return true;
      });
    },
    /** At once, and not letter by letter: a page that is drawn anew with each would take long. */
    fill: (selector: string, text: string) =>
      act(
        `element.focus();
        Object.getOwnPropertyDescriptor(Object.getPrototypeOf(element), 'value').set.call(element, text);
        element.dispatchEvent(new Event('input', { bubbles: true }));`,
        selector,
        text,
      ),
    evaluate: (expression: string) => evaluate(session, { window }, expression),
    async frames() {
      const count = (await evaluate(session, { window }, 'frames.length')) as number;
      const places = [{ window }, ...Array.from({ length: count }, (_, frame) => ({ window, frame }))];
      return places.map(
        (place): Frame => ({ evaluate: (expression) => evaluate(session, place, expression) }),
      );
    },
    close: () => command<void>('DELETE', '/window'),
  } satisfies Page & { command: unknown };
}

/** Whether an element stands still where a click would hit it: at once, and a moment later. */
const SETTLE = `
  const [element, done] = arguments;
  const look = () => {
    const { x, y, width, height } = element.getBoundingClientRect();
    const isHit = element.contains(document.elementFromPoint(x + width / 2, y + height / 2));
    return isHit && [x, y, width, height].join();
  };
  element.scrollIntoView({ block: 'center', behavior: 'instant' });
  const before = look();
  setTimeout(() => done(before !== false && before === look()), ${STILL_MS});`;

type CommandArguments = [method: 'GET' | 'POST' | 'DELETE', path: string, body?: object];

/** The driver waits for one script at a time; so what takes longer leaves its outcome in the page, where it is looked for. */
const BEGIN = (expression: string) => `
  const [name] = arguments;
  const value = (${expression});
  if (!(value instanceof Promise)) return { json: JSON.stringify(value) };
  value.then(
    (value) => { window[name] = { json: JSON.stringify(value) }; },
    (error) => { window[name] = { error: String(error) }; },
  );
  return window[name] = 'pending';`;
const LOOK = 'return window[arguments[0]] ?? { error: "The page has gone elsewhere." };';

let count = 0;

/** WebDriver makes null of what is undefined. */
type Outcome = 'pending' | { json?: string | null; error?: string };

async function evaluate(session: Session, place: Place, expression: string): Promise<unknown> {
  const name = `outcome ${count++}`;
  const execute = (script: string) =>
    session.command<Outcome>(place, 'POST', '/execute/sync', { script, args: [name] });
  let outcome = await execute(BEGIN(expression));
  while (outcome === 'pending') {
    await sleep(POLL_MS);
    outcome = await execute(LOOK);
  }
  if (outcome.error !== undefined) throw new Error(outcome.error);
  return outcome.json ? JSON.parse(outcome.json) : undefined;
}
