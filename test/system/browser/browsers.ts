import { firefox } from 'playwright-core';
import { describe } from 'vitest';
import { findProgram, lacks } from '../../support/system.ts';
import { isChromiumMissing, openChromium } from './chromium.ts';
import { openWebKit } from './webkit.ts';

/* What tests need of a browser: of Playwright that which every engine can do. */

export interface Browser {
  /** One without any history, whose pages share cookies and storage among themselves alone. */
  newContext(options?: ContextOptions): Promise<Context>;
  close(): Promise<void>;
}

interface ContextOptions {
  /** WebKit does so always. */
  ignoreHTTPSErrors?: boolean;
  /** Not in WebKit. */
  viewport?: { width: number; height: number };
  /** Not in WebKit. */
  colorScheme?: 'light' | 'dark';
}

export interface Context {
  newPage(): Promise<Page>;
  /** Those that pages have opened as well. */
  pages(): Page[] | Promise<Page[]>;
  /** What this address would be sent. */
  cookies(url: string): Promise<Cookie[]>;
  clearCookies(filter: { name: string }): Promise<void>;
  close(): Promise<void>;
}

export interface Page extends Frame {
  goto(url: string): Promise<unknown>;
  reload(): Promise<unknown>;
  /** Clicks as a user does, once there is something that stands still; an XPath begins with `//`, else it is CSS. */
  click(selector: string): Promise<unknown>;
  /** Puts this text instead of what stands in a field. */
  fill(selector: string, text: string): Promise<unknown>;
  /** The page itself, and those inside. */
  frames(): Frame[] | Promise<Frame[]>;
  close(): Promise<void>;
}

export interface Frame {
  /** The value of an expression, awaited, as JSON could carry it. */
  evaluate(expression: string): Promise<unknown>;
}

export interface Cookie {
  name: string;
  value: string;
  domain: string;
  path: string;
  httpOnly: boolean;
  secure: boolean;
  sameSite?: string;
}

export interface Engine {
  name: 'Chromium' | 'Firefox' | 'WebKit';
  open: () => Promise<Browser>;
  /** Elsewhere than on a build machine, which must have it. */
  isMissing: boolean;
}

const FIREFOX = process.env.FIREFOX || findProgram('firefox-esr') || findProgram('firefox') || '';

/** The engines of nearly all browsers there are. */
export const ENGINES: readonly Engine[] = [
  { name: 'Chromium', open: openChromium, isMissing: isChromiumMissing },
  {
    name: 'Firefox',
    // Playwright brings a Firefox of its own; the channel is for the one that people have.
    open: () => firefox.launch({ channel: 'moz-firefox', executablePath: FIREFOX }),
    isMissing: !FIREFOX && !process.env.CI,
  },
  {
    name: 'WebKit',
    open: openWebKit,
    isMissing: lacks('WebKitWebDriver', 'Xvfb'),
  },
];

/** Firefox is slow to be driven, and is asked for what is peculiar to an engine alone: storage, locks, keys. */
export const CHROMIUM_AND_WEBKIT = ENGINES.filter(({ name }) => name !== 'Firefox');

/** The same scenarios in each of these engines. */
export function describeIn(
  engines: readonly Engine[],
  name: string,
  scenarios: (engine: Engine) => void,
): void {
  for (const engine of engines)
    describe.skipIf(engine.isMissing)(`${name} in ${engine.name}`, () => scenarios(engine));
}
