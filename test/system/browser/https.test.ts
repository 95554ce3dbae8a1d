import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADA } from '../../support/app.ts';
import { startCaddy } from '../../support/caddy.ts';
import { findFreePort, type ServerProcess, startServer } from '../../support/process.ts';
import { lacks } from '../../support/system.ts';
import { type Browser, type Context, describeIn, ENGINES, type Page } from './browsers.ts';

const engines = ENGINES.map((engine) => ({ ...engine, isMissing: engine.isMissing || lacks('caddy') }));

describeIn(engines, 'a login by cookie over TLS', (engine) => {
  let browser: Browser;
  let context: Context;
  let server: ServerProcess;
  let stopCaddy: () => Promise<void>;
  let page: Page;

  beforeAll(async () => {
    const [port, own] = [await findFreePort(), await findFreePort()];
    const origin = `https://localhost:${own}`;
    server = await startServer({ PORT: String(port), PUBLIC_URL: origin, TRUSTED_PROXIES: '127.0.0.1' });
    stopCaddy = await startCaddy(
      `${origin} {
        tls internal
        handle /own {
          header Content-Type text/html
          respond "<!doctype html><title>own</title>"
        }
        handle {
          reverse_proxy 127.0.0.1:${port}
        }
      }`,
      'skip_install_trust\nauto_https disable_redirects',
    );
    browser = await engine.open();
    context = await browser.newContext({ ignoreHTTPSErrors: true });
    page = await context.newPage();
    await page.goto(`${origin}/own`);
  });
  afterAll(async () => {
    await browser?.close();
    await stopCaddy?.();
    await server?.stop();
  });

  async function ask(method: string, path: string, body?: object): Promise<unknown> {
    const json = body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const init = JSON.stringify({ method, ...json });
    return page.evaluate(`fetch('/v1/${path}', ${init}).then(({ status }) => status)`);
  }

  async function cookies(): Promise<Record<string, boolean>> {
    const stored = await context.cookies(server.url);
    return Object.fromEntries(stored.map(({ name, secure, httpOnly }) => [name, secure && httpOnly]));
  }

  test('is kept under names with the prefix, and works until the logout', async () => {
    expect(await ask('POST', 'register', ADA)).toBe(201);
    expect(await ask('POST', 'login', { ...ADA, transport: 'cookie' })).toBe(204);
    expect(await cookies()).toEqual({
      '__Host-access': true,
      '__Host-refresh': true,
      '__Host-device': true,
    });
    expect(await ask('GET', 'me')).toBe(200);
    expect(await ask('POST', 'refresh')).toBe(204);
    expect(await ask('GET', 'me')).toBe(200);
    expect(await ask('POST', 'logout')).toBe(204);
    expect(await cookies()).toEqual({ '__Host-device': true });
    expect(await ask('GET', 'me')).toBe(401);
  });
});
