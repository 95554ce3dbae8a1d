import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, request, type Server } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  ADA,
  addUser,
  BOB,
  bearer,
  createTestApp,
  logIn,
  logInWithCookies,
  type TestApp,
} from '../support/app.ts';
import { startCaddy } from '../support/caddy.ts';
import { createProofKey, forgeProof, proofClaims } from '../support/dpop.ts';
import { startNginx } from '../support/nginx.ts';
import { findFreePort } from '../support/process.ts';
import { lacks } from '../support/system.ts';

interface Ports {
  own: number;
  idcard: number;
  app: number;
}

/** The files that users are given, with these ports instead of theirs. */
const PROXIES = [
  {
    name: 'nginx',
    /** What it answers when idcard does not. */
    away: 500,
    /** What it answers to two credentials: nginx knows 401 and 403 alone. */
    several: 401,
    async start({ own, idcard, app }: Ports): Promise<() => Promise<void>> {
      const config = readFileSync('deploy/nginx/protect-app.conf', 'utf8')
        .replace('listen 80;', `listen 127.0.0.1:${own};`)
        .replace('127.0.0.1:3000', `127.0.0.1:${idcard}`)
        .replace('127.0.0.1:8080', `127.0.0.1:${app}`);
      const nginx = await startNginx(config, own);
      return nginx.stop;
    },
  },
  {
    name: 'caddy',
    away: 502,
    several: 400,
    async start({ own, idcard, app }: Ports): Promise<() => Promise<void>> {
      const caddyfile = readFileSync('deploy/caddy/Caddyfile', 'utf8')
        .replace('\napp.example.com {', `\nhttp://127.0.0.1:${own} {`)
        .replaceAll('127.0.0.1:3000', `127.0.0.1:${idcard}`)
        .replace('127.0.0.1:8080', `127.0.0.1:${app}`);
      return startCaddy(caddyfile);
    },
  },
];

/** What the application received. */
interface Received {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  rawHeaders: string[];
}

interface Answer {
  status: number | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}

describe.each(PROXIES)(
  'an application behind $name, protected by GET /v1/verify',
  ({ name, away, several, start }) => {
    describe.skipIf(lacks(name))('with the file of deploy/', () => {
      const received: Received[] = [];
      let ports: Ports;
      let idcard: TestApp;
      let app: Server;
      let stop: (() => Promise<void>) | undefined;
      let ada: { id: string; token: string };
      let bob: { id: string; token: string };
      let cookie: string;
      let origin: string;

      beforeAll(async () => {
        ports = { own: await findFreePort(), idcard: await findFreePort(), app: await findFreePort() };
        origin = `http://127.0.0.1:${ports.own}`;
        idcard = await createTestApp({ env: { PUBLIC_URL: origin, TRUSTED_PROXIES: '127.0.0.1' } });
        ada = { id: (await addUser(idcard, { ...ADA, roles: ['admin', 'author'] })).id, token: '' };
        bob = { id: (await addUser(idcard, BOB)).id, token: '' };
        ada.token = (await logIn(idcard)).access_token;
        bob.token = (await logIn(idcard, BOB)).access_token;
        cookie = await logInWithCookies(idcard);
        await idcard.app.listen({ host: '127.0.0.1', port: ports.idcard });
        app = createServer((incoming, reply) => {
          const { method = '', url = '', headers, rawHeaders } = incoming;
          received.push({ method, url, headers, rawHeaders });
          reply.end('the application');
        }).listen(ports.app, '127.0.0.1');
        await once(app, 'listening');
        stop = await start(ports);
      });
      afterAll(async () => {
        await stop?.();
        app.closeAllConnections();
        app.close();
        await idcard.close();
      });

      /** One request, its address as it stands, on a connection of its own. */
      async function ask(
        path: string,
        headers: Record<string, string | string[]> = {},
        method = 'GET',
      ): Promise<Answer> {
        received.length = 0;
        const sent = request({
          host: '127.0.0.1',
          port: ports.own,
          path,
          method,
          headers,
          agent: false,
        }).end();
        const [response] = await once(sent, 'response');
        return { status: response.statusCode, headers: response.headers, body: await text(response) };
      }

      /** Every value that a framework could take for a header of this name. */
      function valuesOf(header: string): string[] {
        const { rawHeaders = [] } = received[0] ?? {};
        return rawHeaders.filter(
          (_, index) =>
            index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase().replaceAll('_', '-') === header,
        );
      }

      test('a bearer token opens it, and it hears who that is', async () => {
        expect(await ask('/secret?a=1', bearer(ada.token))).toMatchObject({
          status: 200,
          body: 'the application',
        });
        expect(received[0]?.url).toBe('/secret?a=1');
        expect([valuesOf('x-auth-subject'), valuesOf('x-auth-roles')]).toEqual([[ada.id], ['admin,author']]);
      });

      test('a cookie opens it, for requests of its own site too', async () => {
        expect((await ask('/', { cookie })).status).toBe(200);
        expect((await ask('/', { cookie, 'sec-fetch-site': 'same-origin', origin }, 'POST')).status).toBe(
          200,
        );
        expect(received[0]?.method).toBe('POST');
        expect(valuesOf('x-auth-subject')).toEqual([ada.id]);
      });

      test('without a token it is 401, with the challenge of idcard', async () => {
        const { status, headers } = await ask('/');
        expect(status).toBe(401);
        expect(headers['www-authenticate']).toBe(
          'Bearer realm="idcard", DPoP realm="idcard", algs="ES256 EdDSA"',
        );
        expect((await ask('/', bearer('x.y.z'))).headers['www-authenticate']).toContain(
          'error="invalid_token"',
        );
        expect(received).toEqual([]);
      });

      test.each(['X-Auth-Subject', 'x-auth-subject', 'X_Auth_Subject', 'X-Auth_Subject', 'X_AUTH-SUBJECT'])(
        'a forged %s does not arrive, nor its like for roles',
        async (subject) => {
          const roles = subject.replace(/subject/i, 'Roles');
          const forged = { [subject]: [ada.id, 'root'], [roles]: ['admin', 'root'] };
          await ask('/', { ...bearer(bob.token), ...forged });
          expect(valuesOf('x-auth-subject')).toEqual([bob.id]);
          expect(valuesOf('x-auth-roles').join('')).toBe(''); // Bob has none
        },
      );

      test('forged headers open nothing without a token', async () => {
        const forged = { 'x-auth-subject': ada.id, 'x-auth-roles': 'admin', 'x-forwarded-uri': '/v1/livez' };
        expect((await ask('/', forged)).status).toBe(401);
        expect(received).toEqual([]);
      });

      test.each(['POST', 'PUT', 'DELETE', 'PATCH'])(
        'a %s that another site makes with a cookie is refused, whatever method it claims',
        async (method) => {
          for (const claimed of ['x-original-method', 'x-forwarded-method', 'x-http-method-override']) {
            const headers = {
              cookie,
              'sec-fetch-site': 'cross-site',
              origin: 'https://evil.example',
              [claimed]: 'GET',
            };
            expect((await ask('/', headers, method)).status).toBe(403);
            expect(received).toEqual([]);
          }
        },
      );

      test.each([
        '//secret',
        '/v1/../secret',
        '/v1/%2e%2e/secret',
        '/v1/..%2fsecret',
        '/v1//../secret',
        '/health/../secret',
        '/health/%2e%2e/secret',
        '/secret/..%2fhealth',
        '/health%00/secret',
        '/health/',
        '/HEALTH',
        '/_idcard/verify',
        '/_idcard/verify/..',
        '/%5fidcard/verify',
        '/.',
        '/%2e%2e/secret',
        '/secret;/../../v1/livez',
      ])('%s leads to no secret of the application', async (path) => {
        const { status } = await ask(path);
        if (received.length > 0) expect(received[0]?.url).toBe('/health');
        else expect([400, 401, 404]).toContain(status);
      });

      test('the address by which nginx asks idcard gives nobody its answer', async () => {
        expect((await ask('/_idcard/verify', bearer(ada.token))).body).not.toContain(ada.id);
      });

      test('two Authorization headers, or a header and a cookie, are refused', async () => {
        const twice = await ask('/', { authorization: [`Bearer ${ada.token}`, `Bearer ${bob.token}`] });
        expect([400, 401]).toContain(twice.status);
        expect((await ask('/', { cookie, ...bearer(ada.token) })).status).toBe(several);
        expect(received).toEqual([]);
      });

      test('a header of 20 KiB is refused', async () => {
        const { status } = await ask('/', {
          ...bearer(ada.token),
          'x-long': ['x'.repeat(7000), 'x'.repeat(7000), 'x'.repeat(6000)],
        });
        expect([400, 401, 431]).toContain(status);
        expect(received).toEqual([]);
      });

      test('a second request in the body of the first is not answered', async () => {
        received.length = 0;
        const hidden = 'GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n';
        const socket = connect(ports.own, '127.0.0.1').on('error', () => undefined);
        socket.write(
          `POST /a HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${ada.token}\r\nConnection: close\r\n` +
            `Content-Length: ${hidden.length}\r\n\r\n${hidden}`,
        );
        expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 /);
        expect(received.map(({ url }) => url)).toEqual(['/a']);
      });

      test('a token that is bound to a key opens it with a proof, once its nonce is known', async () => {
        const key = createProofKey();
        const claims = (path: string, nonce: string, token?: string) => ({
          ...proofClaims(path === '/v1/login' ? 'POST' : 'GET', path, nonce, token),
          htu: origin + path,
        });
        const login = async (nonce: string) =>
          idcard.app.inject({
            method: 'POST',
            url: '/v1/login',
            headers: { dpop: forgeProof(key, claims('/v1/login', nonce)) },
            body: ADA,
          });
        const { access_token } = (await login(String((await login('')).headers['dpop-nonce']))).json();
        const present = (nonce: string) =>
          ask('/', {
            authorization: `DPoP ${access_token}`,
            dpop: forgeProof(key, claims('/v1/verify', nonce, access_token)),
          });
        const refused = await present('');
        expect([refused.status, received]).toEqual([401, []]);
        expect(refused.headers['www-authenticate']).toContain('use_dpop_nonce');
        expect((await present(String(refused.headers['dpop-nonce']))).status).toBe(200);
        expect((await ask('/', bearer(access_token))).status).toBe(401);
      });

      test('idcard is reached on the same host', async () => {
        expect(JSON.parse((await ask('/v1/me', bearer(ada.token))).body)).toMatchObject({ id: ada.id });
        expect(received).toEqual([]);
      });

      test('while idcard is away nothing is open', async () => {
        await idcard.app.close();
        expect((await ask('/', bearer(ada.token))).status).toBe(away);
        expect(received).toEqual([]);
      });
    });
  },
);
