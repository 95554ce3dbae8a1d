import type { BrowserContext, Page } from 'playwright-core';
import { build } from 'vite';
import { expect } from 'vitest';
import { ADA } from '../support/app.ts';

const TYPES: Record<string, string> = { html: 'text/html', js: 'text/javascript', css: 'text/css' };
/** How a browser reports the end of a token, and the demand for a nonce: nothing is wrong. */
const PROTOCOL = /^Failed to load resource: .* status of 40[01] /;
/** Other work may slow the machine. */
const SOON = { timeout: 10_000 };

export type Mode = 'cookie' | 'dpop';

interface File {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** The example as Vite builds it, and what a server answers at the path of each of its files. */
export async function buildApp(): Promise<(path: string) => File | undefined> {
  const built = await build({ root: 'examples/spa', logLevel: 'warn', build: { write: false } });
  if (!('output' in built)) throw new Error('Vite has built more than one app, or none.');
  const files = new Map(
    built.output.map((file) => [
      `/${file.fileName}`,
      {
        status: 200,
        headers: { 'content-type': TYPES[file.fileName.split('.').pop() ?? ''] ?? '' },
        body: file.type === 'chunk' ? file.code : String(file.source),
      },
    ]),
  );
  return (path) => files.get(path.replace(/\?.*/, '').replace(/\/$/, '/index.html'));
}

/** A tab with the app in it, and what a user does there. */
export interface AppTab {
  page: Page;
  /** Errors on the console, of which violations of the page's policy are some. */
  complaints: string[];
  submit: (button: 'Log in' | 'Register', credentials?: { email: string; password: string }) => Promise<void>;
  click: (button: 'Log out' | 'Log out everywhere') => Promise<void>;
  /** Waits until the page says who is logged in. */
  seesLogin: (email?: string) => Promise<void>;
  /** Waits until the page asks for a login, and says what about the last one. */
  seesEnd: (message: string) => Promise<void>;
  /** Calls the API several times at once, and waits until all are answered with 200. */
  call: (times: number) => Promise<void>;
}

export async function openApp(context: BrowserContext, origin: string, mode: Mode): Promise<AppTab> {
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !PROTOCOL.test(message.text())) complaints.push(message.text());
  });
  await page.goto(`${origin}/?${mode}`);
  const click = (name: string) => page.getByRole('button', { name, exact: true }).click();
  const successes = page.getByText(/^GET \/v1\/me 200$/);
  return {
    page,
    complaints,
    click,
    async submit(button, credentials = ADA) {
      await page.getByLabel('Email').fill(credentials.email);
      await page.getByLabel('Password').fill(credentials.password);
      await click(button);
    },
    seesLogin: (email = ADA.email) => page.getByText(`Logged in as ${email}`).waitFor(SOON),
    async seesEnd(message) {
      await page.getByText(message).waitFor(SOON);
      await page.getByRole('button', { name: 'Log in', exact: true }).waitFor(SOON);
    },
    async call(times) {
      const before = await successes.count();
      await page.evaluate(`for (let i = 0; i < ${times}; i++) document.querySelector('#call').click()`);
      await expect.poll(() => successes.count(), SOON).toBe(before + times);
    },
  };
}
