import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { IDENTITY, PROXIES, type ProtectedApp, startProtectedApp } from '../../support/protected-app.ts';
import { lacks } from '../../support/system.ts';

/** Headers that a proxy drops because a client named them in Connection (RFC 9110 §7.6.1), in ways that some overlook. */
const CONNECTIONS: string[][] = [
  ['Connection: close, X-Auth-Subject, X-Auth-Roles'],
  ['Connection: X-Auth-Subject', 'Connection: close', 'Connection: X-Auth-Roles'],
  ['connection: CLOSE,x-auth-subject,X-AUTH-ROLES'],
  ['Connection: close,\tX-Auth-Subject\t,, ,X-Auth-Roles,'],
  ['Connection: keep-alive, X-Auth-Subject, X-Auth-Roles', 'Keep-Alive: timeout=5'],
  [
    'Connection: Keep-Alive, TE, Trailer, X-Auth-Subject, X-Auth-Roles',
    'TE: trailers',
    'Trailer: X-Auth-Subject',
  ],
  ['Proxy-Connection: X-Auth-Subject, X-Auth-Roles', 'Connection: Proxy-Connection, X-Auth-Subject'],
  ['Keep-Alive: X-Auth-Subject, X-Auth-Roles', 'Connection: close'],
  [
    'Connection: upgrade, X-Auth-Subject, X-Auth-Roles',
    'Upgrade: h2c',
    'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA',
  ],
  ['Connection: X-Auth-Subject, X-Auth-Roles', 'Upgrade: websocket'],
  ['Connection: xupgrade, upgrade2, X-Auth-Subject, X-Auth-Roles', 'Upgrade: websocket2'],
  ['Connection: \xa0upgrade\xff, X-Auth-Subject, X-Auth-Roles'],
];

const HANDSHAKE = [
  'Upgrade: websocket',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
];

describe.each(PROXIES)('an application behind $name', (proxy) => {
  describe.skipIf(lacks(proxy.name))(
    'and a client that says what of its connection is not to be handed on',
    () => {
      let proxied: ProtectedApp;
      let login: string;

      beforeAll(async () => {
        proxied = await startProtectedApp(proxy);
        login = `Cookie: ${proxied.ada.cookie}`;
      });
      afterAll(() => proxied?.stop());

      /** What the application was told by the one request that reached it. */
      function identity() {
        expect(proxied.received).toHaveLength(1);
        return IDENTITY.slice(0, 2).map((name) => proxied.valuesOf(name.toLowerCase()));
      }

      test.each(CONNECTIONS)('the identity arrives with %j', async (...lines) => {
        await proxied.send('GET /', [login, ...lines]);
        expect(identity()).toEqual([[proxied.ada.id], ['admin,author']]);
      });

      test.each([
        ['Connection: Upgrade, X-Auth-Subject, X-Auth-Roles'],
        ['Connection: X-Auth-Subject, upgrade', 'Connection: X-Auth-Roles'],
      ])('the identity arrives with a WebSocket and %j', async (...lines) => {
        const answer = await proxied.send('GET /', [
          login,
          `Origin: ${proxied.origin}`,
          ...HANDSHAKE,
          ...lines,
        ]);
        expect(answer).toMatch(/^HTTP\/1\.1 101 .*the socket of the application$/s);
        expect(identity()).toEqual([[proxied.ada.id], ['admin,author']]);
      });

      test('a page of its own opens a WebSocket, and nobody without a login does', async () => {
        const lines = ['Connection: keep-alive, Upgrade', ...HANDSHAKE, `Origin: ${proxied.origin}`];
        expect(await proxied.send('GET /socket', [login, ...lines])).toMatch(/^HTTP\/1\.1 101 /);
        expect(proxied.valuesOf('upgrade').join()).toBe('websocket');
        expect(await proxied.send('GET /socket', lines)).toMatch(/^HTTP\/1\.1 401 /);
        expect(proxied.received).toEqual([]);
      });

      test.each([
        'https://evil.example',
        'https://sibling.127.0.0.1.example',
        'null',
        'http://127.0.0.1:1',
        'https://127.0.0.1',
      ])('a page of %s opens no WebSocket, whatever is named in Connection', async (origin) => {
        for (const named of [
          '',
          ', Origin',
          ', Origin, Sec-Fetch-Site, Sec-WebSocket-Key, X-Forwarded-Method, X-Original-Method',
        ]) {
          const lines = [
            `Connection: Upgrade${named}`,
            ...HANDSHAKE,
            `Origin: ${origin}`,
            'X-Forwarded-Method: GET',
          ];
          expect(await proxied.send('GET /socket', [login, ...lines])).toMatch(/^HTTP\/1\.1 403 /);
          expect(proxied.received).toEqual([]);
        }
      });

      test('what idcard is asked about is not dropped on the way to it', async () => {
        const named = 'Connection: close, Origin, Sec-Fetch-Site, X-Forwarded-Method, X-Original-Method';
        const lines = [named, 'Origin: https://evil.example', 'Sec-Fetch-Site: cross-site'];
        expect(await proxied.send('POST /', [login, ...lines, 'Content-Length: 0'])).toMatch(
          /^HTTP\/1\.1 403 /,
        );
        expect(proxied.received).toEqual([]);
      });

      test('a page of another origin reads nothing, and one that is linked to is shown', async () => {
        const page = ['Origin: https://evil.example', 'Sec-Fetch-Site: cross-site', 'Connection: close'];
        expect(await proxied.send('GET /', [login, ...page])).toMatch(/^HTTP\/1\.1 403 /);
        expect(proxied.received).toEqual([]);
        const link = ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate', 'Connection: close'];
        expect(await proxied.send('GET /', [login, ...link])).toMatch(/^HTTP\/1\.1 200 /);
      });

      test('no other protocol is asked for', async () => {
        for (const protocol of ['h2c', 'TLS/1.0', 'websocket, h2c', 'h2c, websocket', 'xwebsocket']) {
          await proxied.send('GET /', [login, 'Connection: Upgrade', `Upgrade: ${protocol}`]);
          expect(proxied.received).toHaveLength(1);
          expect(proxied.valuesOf('upgrade')).toEqual([]);
        }
      });
    },
  );
});
