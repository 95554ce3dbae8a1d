import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, request, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import * as oauth from 'oauth4webapi';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bearer as bearerTransport, createClient, dpop } from '../../../src/client/index.ts';
import { ADA, bearer, decode, type TokenBody } from '../../support/app.ts';
import { startNginx } from '../../support/nginx.ts';
import { createOauthClient, retried } from '../../support/oauth-client.ts';
import { findFreePort, type ServerProcess, startServer } from '../../support/process.ts';
import { lacks } from '../../support/system.ts';
import { createService } from '../../verifier/service.ts';
import { CHROMIUM, isChromiumMissing, openChromium } from '../browser/chromium.ts';

const FILE = readFileSync('deploy/nginx/under-a-path.conf', 'utf8');
/** The file as it is, and with what it says of a proxy that takes the path off. */
const FORMS = [
  { form: 'leaves the path on', conf: FILE },
  {
    form: 'takes the path off',
    conf: FILE.replace(/(location \/auth\/ \{.*?proxy_pass http:\/\/idcard-auth);/s, '$1/;'),
  },
];

test('the second form is another one', () => {
  expect(FORMS[1]?.conf).not.toBe(FILE);
});

describe.skipIf(lacks('nginx')).each(FORMS)(
  'idcard under /auth, behind an nginx that $form',
  ({ form, conf }) => {
    const received: { url: string; headers: IncomingHttpHeaders }[] = [];
    let stop: (() => Promise<void>) | undefined;
    let idcard: ServerProcess;
    let app: Server;
    /** Of the host. */
    let origin: string;
    let issuer: string;

    beforeAll(async () => {
      const [own, behind, appPort] = [await findFreePort(), await findFreePort(), await findFreePort()];
      origin = `http://127.0.0.1:${own}`;
      issuer = `${origin}/auth`;
      // It is up when it answers on its own port, without the path: as the health check of the image asks.
      idcard = await startServer({
        PORT: String(behind),
        PUBLIC_URL: issuer,
        TRUSTED_PROXIES: '127.0.0.1',
        RATE_LIMITS: 'off',
      });
      app = createServer(({ url = '', headers }, reply) => {
        received.push({ url, headers });
        reply.setHeader('content-type', 'text/html').end('<title>the application</title>');
      }).listen(appPort, '127.0.0.1');
      await once(app, 'listening');
      const nginx = await startNginx(
        conf
          .replace('listen 80;', `listen 127.0.0.1:${own};`)
          .replace('127.0.0.1:3000', `127.0.0.1:${behind}`)
          .replace('127.0.0.1:8080', `127.0.0.1:${appPort}`),
        own,
      );
      stop = nginx.stop;
      expect((await post('/v1/register', ADA)).status).toBe(201);
    });
    afterAll(async () => {
      await stop?.();
      app?.close();
      await idcard?.stop();
    });
    beforeEach(() => {
      received.length = 0;
    });

    async function post(
      path: string,
      body?: object,
      headers: Record<string, string> = {},
    ): Promise<Response> {
      const json = { 'content-type': 'application/json', ...headers };
      return fetch(issuer + path, { method: 'POST', headers: json, body: JSON.stringify(body ?? {}) });
    }

    /** One request, its address as it stands. */
    async function ask(path: string, headers: Record<string, string> = {}) {
      const sent = request({
        host: '127.0.0.1',
        port: new URL(origin).port,
        path,
        headers,
        agent: false,
      }).end();
      const [response] = await once(sent, 'response');
      return { status: response.statusCode, body: await text(response) };
    }

    test('logs in, refreshes and logs out, by tokens that name the whole address', async () => {
      const tokens = (await (await post('/v1/login', ADA)).json()) as TokenBody;
      expect(decode(tokens.access_token).iss).toBe(issuer);
      const me = () => fetch(`${issuer}/v1/me`, { headers: bearer(tokens.access_token) });
      expect(await (await me()).json()).toMatchObject({ email: ADA.email });
      const { refresh_token } = tokens;
      expect((await post('/v1/refresh', { refresh_token })).status).toBe(200);
      expect((await post('/v1/logout-everywhere', undefined, bearer(tokens.access_token))).status).toBe(204);
      expect((await me()).status).toBe(401);
    });

    test('logs in by cookie for pages of the host, and for no others', async () => {
      const login = (from: string) => post('/v1/login', { ...ADA, transport: 'cookie' }, { origin: from });
      const response = await login(origin);
      expect(response.status).toBe(204);
      const cookies = response.headers.getSetCookie();
      for (const name of ['access', 'refresh'])
        expect(cookies.find((cookie) => cookie.startsWith(`${name}=`))).toMatch(
          /; Path=\/; HttpOnly; SameSite=Lax$/,
        );
      const cookie = cookies.map((line) => line.split(';')[0]).join('; ');
      expect((await post('/v1/refresh', undefined, { cookie, origin })).status).toBe(204);
      for (const from of ['http://localhost:1', issuer]) {
        expect((await login(from)).status).toBe(403);
        expect((await post('/v1/refresh', undefined, { cookie, origin: from })).status).toBe(403);
      }
    });

    test('takes DPoP proofs for the address that the client sees', async () => {
      const client = await createOauthClient(issuer);
      const { access_token, refresh_token } = await client.logIn();
      const response = await retried(() => client.ask(access_token, 'GET', '/auth/v1/me'));
      expect(response.status).toBe(200);
      expect((await client.refresh(refresh_token)).token_type).toBe('dpop');
    });

    test.each([
      ['bearer', bearerTransport],
      ['dpop', dpop],
    ])(
      'idcard-client works with %s, and keeps the login from the rest of the host',
      async (_name, transport) => {
        const client = createClient({ url: issuer, transport: transport() });
        await client.login(ADA);
        expect(await client.user()).toMatchObject({ email: ADA.email });
        await client
          .changePassword({ current_password: ADA.password, new_password: ADA.password })
          .catch(() => 0);
        await client.fetch(`${origin}/api`);
        await client.fetch(`${issuer}x`);
        for (const { headers } of received) expect(headers.authorization).toBeUndefined();
        expect(received.map(({ url }) => url)).toEqual(['/api', '/authx']);
        await client.logout();
      },
    );

    test.each(['oidc', 'oauth2'] as const)(
      'a reader of metadata finds the keys in the way of %s',
      async (algorithm) => {
        const expected = new URL(issuer);
        const options = { algorithm, [oauth.allowInsecureRequests]: true };
        const response = await oauth.discoveryRequest(expected, options);
        expect(await oauth.processDiscoveryResponse(expected, response)).toMatchObject({
          issuer,
          jwks_uri: `${issuer}/.well-known/jwks.json`,
        });
        expect(received).toEqual([]);
      },
    );

    test('a service verifies tokens with this issuer, and hears of revocations', async () => {
      const { app: service } = await createService({ issuer, audience: 'api' });
      await service.ready();
      const { access_token } = (await (await post('/v1/login', ADA)).json()) as TokenBody;
      const response = await service.inject({ url: '/v1/me', headers: bearer(access_token) });
      expect(response.json()).toMatchObject({ iss: issuer });
      expect(service.idcard.state()).toEqual({ keys: 'current', revocations: 'current' });
      await service.close();
    });

    test('the application has the rest of the host, without the refresh token', async () => {
      const cookies = [
        ['a=1; __Host-access=t; __Host-refresh=r; __Host-device=d; b=2', 'a=1; __Host-access=t; b=2'],
        ['__Host-refresh=r', undefined],
        ['__Host-device=d; a=1', 'a=1'],
        ['a=1;__Host-refresh=r', 'a=1'],
        ['a=1; __host-Refresh =r', 'a=1'],
        ['a=1;\t__Host-refresh=r;\u00a0__Host-device=d', 'a=1'],
        ['__Host-refresh=r; __Host-refresh=s; a=1; __Host-refresh=t', undefined],
        ['x__Host-refresh=r', 'x__Host-refresh=r'],
        ['a=1', 'a=1'],
      ];
      for (const [cookie = '', expected] of cookies) {
        await ask('/orders', { cookie });
        expect([cookie, received.at(-1)?.headers.cookie?.trim()]).toEqual([cookie, expected]);
      }
      for (const path of ['/v1/me', '/authx/v1/me', '/.well-known/jwks.json', '/auth/../v1/me'])
        expect((await ask(path)).body).toContain('the application');
      received.length = 0;
      const urls = ['/auth/nothing', '/auth/authx/livez', '/x/..//auth/v1'];
      for (const path of urls) expect([path, (await ask(path)).status]).toEqual([path, 404]);
      expect(received).toEqual([]);
    });

    test('each route has one address, where the path is left on', async () => {
      expect((await ask('/auth/livez')).status).toBe(200);
      for (const path of ['/auth/auth/livez', '/x/../auth/livez', '//auth/livez', '/%61uth/livez'])
        expect([path, (await ask(path)).status]).toEqual([path, form.startsWith('leaves') ? 404 : 200]);
    });

    describe.skipIf(isChromiumMissing)(`in a browser (${CHROMIUM})`, () => {
      let browser: Browser;
      beforeAll(async () => {
        browser = await openChromium();
      });
      afterAll(() => browser?.close());

      test('the page at /auth/docs shows the routes, and follows a login', { timeout: 180_000 }, async () => {
        const page = await browser.newPage();
        const complaints: string[] = [];
        const asked: string[] = [];
        page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
        page.on('request', (sent) => asked.push(sent.url()));
        await page.goto(`${issuer}/docs`);
        const execute = async (operationId: string, body?: object) => {
          const block = page.locator(`.opblock[id$="-${operationId}"]`);
          await block.locator('.opblock-summary-control').click();
          if (body) await block.locator('textarea.body-param__text').fill(JSON.stringify(body));
          const answered = page.waitForResponse((response) => response.url().startsWith(`${issuer}/v1/`));
          await block.locator('button.execute').click();
          return (await answered).status();
        };
        expect([await execute('login', ADA), await execute('getMe')]).toEqual([200, 200]);
        expect(await page.locator('a', { hasText: 'openapi.yaml' }).getAttribute('href')).toBe(
          'openapi.yaml',
        );
        expect([complaints, received]).toEqual([[], []]);
        expect(asked.filter((url) => !url.startsWith(`${issuer}/`) && !url.startsWith('data:'))).toEqual([]);
        await page.close();
      });

      test('a page of the host logs in by cookie, which comes back', async () => {
        const page = await browser.newPage();
        await page.goto(`${origin}/`);
        const statuses = await page.evaluate(
          `(async () => {
          const login = { method: 'POST', headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ ...${JSON.stringify(ADA)}, transport: 'cookie' }) };
          const answers = [await fetch('/auth/v1/login', login), await fetch('/auth/v1/me'),
            await fetch('/auth/v1/refresh', { method: 'POST' })];
          return answers.map(({ status }) => status);
        })()`,
        );
        expect(statuses).toEqual([204, 200, 204]);
        await page.close();
      });
    });
  },
);
