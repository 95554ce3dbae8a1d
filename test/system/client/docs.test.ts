import { readFileSync } from 'node:fs';
import { runInContext } from 'node:vm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bearer, createClient } from '../../../src/client/index.ts';
import { ADA } from '../../support/app.ts';
import { type Browser, describeIn, ENGINES } from '../browser/browsers.ts';
import { bundle, gzippedBytes } from './bundle.ts';
import { type Gate, openGate } from './gate.ts';
import { type OtherService, serveOther } from './other-service.ts';
import { createReactNative } from './react-native.ts';

const guide = readFileSync('docs/client.md', 'utf8');
const blocks = [...guide.matchAll(/```ts\n(.*?)```/gs)].map(([, program]) => program ?? '');

let gate: Gate;
let api: OtherService;
beforeAll(async () => {
  [gate, api] = [await openGate(), await serveOther()];
  await createClient({ url: gate.url, transport: bearer() }).register(ADA);
});
afterAll(async () => {
  api.close();
  await gate.close();
});

/** A program of the guide as it stands, against servers at other addresses, and what it shows in the end. */
function compile(index: number, result: string, modules?: Record<string, string>): Promise<string> {
  const program = (blocks[index] ?? '')
    .replaceAll('https://login.example.com', gate.url)
    .replaceAll('https://api.example.com', api.url);
  return bundle(`${program}\nexport default ${result};`, 'es', modules);
}

test('there are four programs, and all of them are run here', () => {
  expect(blocks).toHaveLength(4);
});

describeIn(ENGINES, 'a program of the guide', (engine) => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await engine.open();
  });
  afterAll(() => browser?.close());

  async function runInPage(code: string): Promise<unknown> {
    const page = await (await browser.newContext()).newPage();
    await page.goto(`${gate.url}/page`);
    const url = `data:text/javascript,${encodeURIComponent(code)}`;
    return page.evaluate(`import(${JSON.stringify(url)}).then((module) => module.default)`);
  }

  test('the one with cookies', async () => {
    const code = await compile(0, '[user.email, answer.status, document.title]');
    expect(await runInPage(code)).toEqual([ADA.email, 200, `Hello ${ADA.email}`]);
  });

  test('the one with DPoP', async () => {
    expect(await runInPage(await compile(1, 'orders.status'))).toBe(200);
    expect(api.requests.at(-1)).toMatchObject({
      path: '/orders',
      headers: { authorization: expect.stringMatching(/^DPoP /), dpop: expect.any(String) },
    });
  });
});

test('the one for React Native', async () => {
  const entries: Record<string, string> = {};
  const native = await createReactNative({ entries });
  const code = await compile(2, 'user.email', {
    'expo-secure-store': `
      export const getItemAsync = async (key) => entries[key] ?? null;
      export const setItemAsync = async (key, value) => { entries[key] = value; };
      export const deleteItemAsync = async (key) => { delete entries[key]; };`,
  });
  const email = await runInContext(
    `(async () => {${code.replace(/export\{(\S+) as default\}/, 'return $1')}})()`,
    native,
  );
  expect(email).toBe(ADA.email);
  expect(entries.idcard).toContain('access_token');
});

test('the one for Node.js', async () => {
  process.env.ROBOT_PASSWORD = ADA.password;
  const code = await compile(3, 'answer.status');
  const module = await import(`data:text/javascript,${encodeURIComponent(code)}`);
  delete process.env.ROBOT_PASSWORD;
  expect(module.default).toBe(200);
  expect(api.requests.at(-1)).toMatchObject({ method: 'POST', body: '{"item":"tea"}' });
});

test('the sizes are those of the guide', async () => {
  const [all, cookieAlone] = [...guide.matchAll(/([\d.]+) kB/g)].map(([, kB]) => Number(kB) * 1000);
  const usingCookies =
    "import { cookie, createClient } from 'idcard-client'; createClient({ url: location.origin, transport: cookie() });";
  expect(gzippedBytes(await bundle("export * from 'idcard-client';"))).toBeLessThanOrEqual(all ?? 0);
  expect(gzippedBytes(await bundle(usingCookies))).toBeLessThanOrEqual(cookieAlone ?? 0);
});
