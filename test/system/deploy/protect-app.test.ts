import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADA, bearer, logIn } from '../../support/app.ts';
import { createProofKey, forgeProof, proofClaims } from '../../support/dpop.ts';
import {
  IDENTITY,
  PROXIES,
  type ProtectedApp,
  spellingsOf,
  startProtectedApp,
} from '../../support/protected-app.ts';
import { lacks } from '../../support/system.ts';

describe.each(PROXIES)('an application behind $name, protected by GET /v1/verify', (proxy) => {
  describe.skipIf(lacks(proxy.name))('with the file of deploy/', () => {
    let proxied: ProtectedApp;
    const { away, several } = proxy;

    beforeAll(async () => {
      proxied = await startProtectedApp(proxy);
    });
    afterAll(() => proxied?.stop());

    test('a bearer token opens it, and it hears who that is', async () => {
      expect(await proxied.ask('/secret?a=1', bearer(proxied.ada.token))).toMatchObject({
        status: 200,
        body: 'the application',
      });
      expect(proxied.received[0]?.url).toBe('/secret?a=1');
      expect([proxied.valuesOf('x-auth-subject'), proxied.valuesOf('x-auth-roles')]).toEqual([
        [proxied.ada.id],
        ['admin,author'],
      ]);
    });

    test('a cookie opens it, for requests of its own site too', async () => {
      expect((await proxied.ask('/', { cookie: proxied.ada.cookie })).status).toBe(200);
      const own = { cookie: proxied.ada.cookie, 'sec-fetch-site': 'same-origin', origin: proxied.origin };
      expect((await proxied.ask('/', own, 'POST')).status).toBe(200);
      expect(proxied.received[0]?.method).toBe('POST');
      expect(proxied.valuesOf('x-auth-subject')).toEqual([proxied.ada.id]);
    });

    test('without a token it is 401, with the challenge of idcard', async () => {
      const { status, headers } = await proxied.ask('/');
      expect(status).toBe(401);
      expect(headers['www-authenticate']).toBe(
        'Bearer realm="idcard", DPoP realm="idcard", algs="ES256 EdDSA"',
      );
      expect((await proxied.ask('/', bearer('x.y.z'))).headers['www-authenticate']).toContain(
        'error="invalid_token"',
      );
      expect(proxied.received).toEqual([]);
    });

    test.each(spellingsOf('X-Auth-Subject'))(
      'a forged %s does not arrive, nor its like for roles and email',
      async (name) => {
        const spelt = (word: string) =>
          [name.toLowerCase(), name, name.toUpperCase()].map((text) => text.replace(/subject/i, word));
        for (const [index, subject] of spelt('Subject').entries()) {
          const forged = {
            [subject]: [proxied.ada.id, 'root'],
            [spelt('Roles')[index] ?? '']: ['admin', 'root'],
            [spelt('eMail')[index] ?? '']: ADA.email,
          };
          expect((await proxied.ask('/', { ...bearer(proxied.bob.token), ...forged })).status).toBe(200);
          expect(proxied.valuesOf('x-auth-subject')).toEqual([proxied.bob.id]);
          expect(proxied.valuesOf('x-auth-roles').join('')).toBe(''); // Bob has none
          expect(proxied.valuesOf('x-auth-email')).toEqual([]); // idcard says none
        }
      },
    );

    test.each([..."_.!#$%&'*+^`|~"])('a forged identity does not arrive with %s for "-"', async (sign) => {
      for (const name of IDENTITY) {
        const forged = { [name.replaceAll('-', sign)]: 'root', [name.replace('-', sign)]: 'root' };
        expect((await proxied.ask('/', { ...bearer(proxied.bob.token), ...forged })).status).toBe(200);
        expect(proxied.received).toHaveLength(1);
        expect(proxied.valuesOf(name.toLowerCase())).not.toContain('root');
      }
    });

    test('a forged identity in a trailer does not arrive', async () => {
      const lines = [
        `Authorization: Bearer ${proxied.bob.token}`,
        'Connection: close, Trailer',
        'Transfer-Encoding: chunked',
        `Trailer: ${IDENTITY.join(', ')}`,
      ];
      const trailers = IDENTITY.map((name) => `${name}: root\r\n`).join('');
      expect(await proxied.send('POST /', lines, `3\r\nabc\r\n0\r\n${trailers}\r\n`)).toMatch(
        /^HTTP\/1\.1 200 /,
      );
      expect(IDENTITY.map((name) => proxied.valuesOf(name.toLowerCase()).join(''))).toEqual([
        proxied.bob.id,
        '',
        '',
      ]);
    });

    test('a verified email arrives where EMAIL_CLAIM is on, and nothing else under its name', async () => {
      const withEmail = await startProtectedApp(proxy, { env: { EMAIL_CLAIM: 'on' } });
      try {
        const { idcard, ada, bob } = withEmail;
        await idcard.directory.update(ada.id, { emailVerified: true });
        const { access_token } = await logIn(idcard);
        const forged = Object.fromEntries(
          spellingsOf('X-Auth-Email').map((name) => [name, 'root@example.com']),
        );
        await withEmail.ask('/', { ...forged, ...bearer(access_token) });
        expect(withEmail.valuesOf('x-auth-email')).toEqual([ADA.email]);
        await withEmail.ask('/', { ...forged, ...bearer(bob.token) });
        expect(withEmail.received).toHaveLength(1);
        expect(withEmail.valuesOf('x-auth-email').join('')).toBe('');
      } finally {
        await withEmail.stop();
      }
    });

    test('another header of the client arrives, also one with a name like these', async () => {
      const own = { 'x-auth-token': 'a', 'x-auth-subject-id': 'b', 'x-request-id': 'c' };
      await proxied.ask('/', { ...bearer(proxied.ada.token), ...own });
      expect(Object.keys(own).flatMap((name) => proxied.valuesOf(name))).toEqual(['a', 'b', 'c']);
    });

    test('forged headers open nothing without a token', async () => {
      const forged = {
        'x-auth-subject': proxied.ada.id,
        'x-auth-roles': 'admin',
        'x-forwarded-uri': '/v1/livez',
      };
      expect((await proxied.ask('/', forged)).status).toBe(401);
      expect(proxied.received).toEqual([]);
    });

    test.each(['POST', 'PUT', 'DELETE', 'PATCH'])(
      'a %s that another site makes with a cookie is refused, whatever method it claims',
      async (method) => {
        for (const claimed of ['x-original-method', 'x-forwarded-method', 'x-http-method-override']) {
          const headers = {
            cookie: proxied.ada.cookie,
            'sec-fetch-site': 'cross-site',
            origin: 'https://evil.example',
            [claimed]: 'GET',
          };
          expect((await proxied.ask('/', headers, method)).status).toBe(403);
          expect(proxied.received).toEqual([]);
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
      const { status } = await proxied.ask(path);
      if (proxied.received.length > 0) expect(proxied.received[0]?.url).toBe('/health');
      else expect([400, 401, 404]).toContain(status);
    });

    test('the address by which nginx asks idcard gives nobody its answer', async () => {
      expect((await proxied.ask('/_idcard/verify', bearer(proxied.ada.token))).body).not.toContain(
        proxied.ada.id,
      );
    });

    test('two Authorization headers, or a header and a cookie, are refused', async () => {
      const twice = await proxied.ask('/', {
        authorization: [`Bearer ${proxied.ada.token}`, `Bearer ${proxied.bob.token}`],
      });
      expect([400, 401]).toContain(twice.status);
      expect(
        (await proxied.ask('/', { cookie: proxied.ada.cookie, ...bearer(proxied.ada.token) })).status,
      ).toBe(several);
      expect(proxied.received).toEqual([]);
    });

    test('a header of 20 KiB is refused', async () => {
      const { status } = await proxied.ask('/', {
        ...bearer(proxied.ada.token),
        'x-long': ['x'.repeat(7000), 'x'.repeat(7000), 'x'.repeat(6000)],
      });
      expect([400, 401, 431]).toContain(status);
      expect(proxied.received).toEqual([]);
    });

    test('a second request in the body of the first is not answered', async () => {
      proxied.received.length = 0;
      const hidden = 'GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n';
      const socket = connect(proxied.ports.own, '127.0.0.1').on('error', () => undefined);
      socket.write(
        `POST /a HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${proxied.ada.token}\r\nConnection: close\r\n` +
          `Content-Length: ${hidden.length}\r\n\r\n${hidden}`,
      );
      expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 /);
      expect(proxied.received.map(({ url }) => url)).toEqual(['/a']);
    });

    test('a token that is bound to a key opens it with a proof, once its nonce is known', async () => {
      const key = createProofKey();
      const claims = (path: string, nonce: string, token?: string) => ({
        ...proofClaims(path === '/v1/login' ? 'POST' : 'GET', path, nonce, token),
        htu: proxied.origin + path,
      });
      const login = async (nonce: string) =>
        proxied.idcard.app.inject({
          method: 'POST',
          url: '/v1/login',
          headers: { dpop: forgeProof(key, claims('/v1/login', nonce)) },
          body: ADA,
        });
      const { access_token } = (await login(String((await login('')).headers['dpop-nonce']))).json();
      const present = (nonce: string) =>
        proxied.ask('/', {
          authorization: `DPoP ${access_token}`,
          dpop: forgeProof(key, claims('/v1/verify', nonce, access_token)),
        });
      const refused = await present('');
      expect([refused.status, proxied.received]).toEqual([401, []]);
      expect(refused.headers['www-authenticate']).toContain('use_dpop_nonce');
      expect((await present(String(refused.headers['dpop-nonce']))).status).toBe(200);
      expect((await proxied.ask('/', bearer(access_token))).status).toBe(401);
    });

    test('an exception by name hears no identity and gets no cookie', async () => {
      const forged = Object.fromEntries(IDENTITY.flatMap(spellingsOf).map((name) => [name, 'root']));
      const { status } = await proxied.ask('/health', { ...forged, cookie: '__Host-refresh=x' });
      expect(status).toBe(proxy.name === 'nginx' ? 200 : 401); // the Caddyfile has none
      expect(['cookie', ...IDENTITY].flatMap((name) => proxied.valuesOf(name.toLowerCase()))).toEqual([]);
    });

    test('idcard is reached on the same host', async () => {
      expect(JSON.parse((await proxied.ask('/v1/me', bearer(proxied.ada.token))).body)).toMatchObject({
        id: proxied.ada.id,
      });
      expect(proxied.received).toEqual([]);
    });

    test('while idcard is away nothing is open', async () => {
      await proxied.idcard.app.close();
      expect((await proxied.ask('/', bearer(proxied.ada.token))).status).toBe(away);
      expect(proxied.received).toEqual([]);
    });
  });
});
