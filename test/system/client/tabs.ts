import type { LoginEvent } from '../../../src/client/index.ts';
import type { Context, Page } from '../browser/browsers.ts';
import { bundle } from './bundle.ts';

export interface TabOptions {
  /** Where the page itself comes from. */
  origin: string;
  /** Where idcard is. */
  url: string;
  /** An expression, such as `idcard.cookie()`. */
  transport: string;
  origins?: string[];
  /** Runs before anything else in the page. */
  prepare?: string;
}

/** A page with a client in it, named `client`, and the `events` that it has told. */
export interface Tab {
  page: Page;
  /** Runs an async function's body in the page. */
  run: <T = unknown>(body: string) => Promise<T>;
  events: () => Promise<LoginEvent[]>;
}

/** What has to be served under `/page`. */
export async function pageWithClient(): Promise<string> {
  return `<!doctype html><script>
    const options = new URLSearchParams(location.search);
    (0, eval)(options.get('prepare'));
    ${await bundle("export * from 'idcard-client';", 'iife')}
    const transport = eval(options.get('transport'));
    const origins = options.get('origins').split(' ').filter(Boolean);
    const client = idcard.createClient({ url: options.get('url'), transport, origins });
    const events = [];
    for (const type of ['login', 'loginEnded']) client.on(type, (event) => events.push(event));
  </script>`;
}

export async function openTab(context: Context, options: TabOptions): Promise<Tab> {
  const { origin, url, transport, origins = [], prepare = '' } = options;
  const page = await context.newPage();
  const query = new URLSearchParams({ url, transport, origins: origins.join(' '), prepare });
  await page.goto(`${origin}/page?${query}`);
  return {
    page,
    run: async <T>(body: string) => (await page.evaluate(`(async () => { ${body} })()`)) as T,
    events: async () => (await page.evaluate('events')) as LoginEvent[],
  };
}
