import { build } from 'vite';
import { expect } from 'vitest';
import { ADA } from '../../support/app.ts';
import type { Context, Page } from './browsers.ts';
import { complaintsOf, withComplaints } from './complaints.ts';

const TYPES: Record<string, string> = { html: 'text/html', js: 'text/javascript', css: 'text/css' };
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
  return withComplaints((path) => files.get(path.replace(/\?.*/, '').replace(/\/$/, '/index.html')));
}

/** A tab with the app in it, and what a user does there. */
export interface AppTab {
  page: Page;
  /** Errors and violations of the page's policy, since this was asked. */
  complaints: () => Promise<string[]>;
  submit: (button: 'Log in' | 'Register', credentials?: { email: string; password: string }) => Promise<void>;
  click: (button: 'Log out' | 'Log out everywhere') => Promise<void>;
  /** Waits until the page shows a text. */
  sees: (text: string) => Promise<void>;
  /** Waits until the page says who is logged in. */
  seesLogin: (email?: string) => Promise<void>;
  /** Waits until the page asks for a login. */
  seesForm: () => Promise<void>;
  /** The same, and until it says what about the last one. */
  seesEnd: (message: string) => Promise<void>;
  /** Calls the API several times at once, and waits until all are answered with 200. */
  call: (times: number) => Promise<void>;
}

export async function openApp(context: Context, origin: string, mode: Mode): Promise<AppTab> {
  const page = await context.newPage();
  await page.goto(`${origin}/?${mode}`);
  const click = async (name: string) => {
    await page.click(`//button[.='${name}']`);
  };
  const text = async () => String(await page.evaluate('document.body.innerText'));
  const sees = (part: string) => expect.poll(text, SOON).toContain(part);
  const seesForm = () => expect.poll(() => page.evaluate('!document.forms[0].hidden'), SOON).toBe(true);
  const successes = async () => (await text()).split('GET /v1/me 200').length - 1;
  return {
    page,
    complaints: () => complaintsOf(page),
    click,
    async submit(button, credentials = ADA) {
      await page.fill('[name=email]', credentials.email);
      await page.fill('[name=password]', credentials.password);
      await click(button);
    },
    sees,
    seesLogin: (email = ADA.email) => sees(`Logged in as ${email}`),
    seesForm,
    async seesEnd(message) {
      await sees(message);
      await seesForm();
    },
    async call(times) {
      const before = await successes();
      await page.evaluate(
        `(() => { for (let i = 0; i < ${times}; i++) document.querySelector('#call').click(); })()`,
      );
      await expect.poll(successes, SOON).toBe(before + times);
    },
  };
}
