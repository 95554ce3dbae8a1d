import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../support/app.ts';

const FILES = [
  ['/docs', 'text/html; charset=utf-8', 'src/pages/page.html'],
  ['/docs/page.js', 'text/javascript; charset=utf-8', 'src/pages/page.js'],
  ['/docs/page.css', 'text/css; charset=utf-8', 'src/pages/page.css'],
  [
    '/docs/swagger-ui-bundle.js',
    'text/javascript; charset=utf-8',
    'node_modules/swagger-ui-dist/swagger-ui-bundle.js',
  ],
  ['/docs/swagger-ui.css', 'text/css; charset=utf-8', 'node_modules/swagger-ui-dist/swagger-ui.css'],
] as const;

let idcard: TestApp;
beforeAll(async () => {
  idcard = await createTestApp();
});
afterAll(() => idcard.close());

describe.each(FILES)('%s', (url, type, file) => {
  test('is the file, under its type, framed by nobody', async () => {
    const { statusCode, headers, rawPayload } = await idcard.app.inject(url);
    expect(statusCode).toBe(200);
    expect(headers).toMatchObject({
      'content-type': type,
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
    });
    expect(rawPayload.equals(readFileSync(file))).toBe(true);
  });

  test('is asked for anew each time, and sent when it changed', async () => {
    const { headers } = await idcard.app.inject(url);
    expect(headers['cache-control']).toBe('no-cache');
    expect(headers.etag).toBe(`"${createHash('sha256').update(readFileSync(file)).digest('base64url')}"`);
    const ask = (etag: string) => idcard.get(url, { 'if-none-match': etag });
    const same = await ask(`W/${headers.etag}`);
    expect([same.statusCode, same.body, same.headers.etag]).toEqual([304, '', headers.etag]);
    expect((await ask('"another"')).statusCode).toBe(200);
  });

  test('is 404 when it is off', async () => {
    const off = await createTestApp({ env: { NODE_ENV: 'production', REGISTRATION: 'closed' } });
    expect((await off.app.inject(url)).statusCode).toBe(404);
    expect(off.app.hasRoute({ method: 'GET', url })).toBe(false);
    await off.close();
  });
});

test('the page may run what this server sends and nothing else, and the API still nothing at all', async () => {
  const policyOf = async (url: string) => (await idcard.app.inject(url)).headers['content-security-policy'];
  const page = String(await policyOf('/docs'));
  expect(page.split('; ').sort()).toEqual(
    [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
      "img-src 'self' data:",
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "form-action 'none'",
    ].sort(),
  );
  for (const url of ['/docs/page.js', '/docs/nothing', '/openapi.json', '/v1/me']) {
    expect(await policyOf(url)).toBe("default-src 'none'; frame-ancestors 'none'");
  }
});

test.each([
  '/docs/',
  '/docs/index.html',
  '/docs/page.html',
  '/docs/swagger-initializer.js',
  '/docs/package.json',
  '/docs/../package.json',
  '/docs/..%2f..%2fpackage.json',
  '/docs/%2e%2e/%2e%2e/package.json',
  '/docs/..%5c..%5cpackage.json',
  '/docs/....//....//package.json',
  '/docs/page.js/../../config.ts',
  '/docs/page.js%00.css',
  '/docs//etc/passwd',
  '/docs/file:///etc/passwd',
])('%s is no file of the page', async (url) => {
  expect((await idcard.get(url)).statusCode).toBe(404);
});
