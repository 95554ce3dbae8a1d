import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  IDENTITY,
  PROXIES,
  type ProtectedApp,
  spellingsOf,
  startProtectedApp,
} from '../../support/protected-app.ts';
import { lacks } from '../../support/system.ts';

const PREFLIGHT = { origin: 'https://app.example.com', 'access-control-request-method': 'PUT' };
const FORGED = Object.fromEntries(IDENTITY.flatMap(spellingsOf).map((name) => [name, 'root']));

describe.each(PROXIES)('an application behind $name', (proxy) => {
  describe.skipIf(lacks(proxy.name))('with the line that lets preflights pass', () => {
    let proxied: ProtectedApp;

    beforeAll(async () => {
      proxied = await startProtectedApp(proxy, { parameters: 'preflight=pass' });
    });
    afterAll(() => proxied?.stop());

    test.each([
      ['nothing else', {}],
      ['a forged identity', FORGED],
      ['a login', { authorization: 'Bearer x' }],
    ])('gets a preflight with %s, and hears no identity with it', async (_, more) => {
      const { status } = await proxied.ask('/api/books?a=1', { ...PREFLIGHT, ...more }, 'OPTIONS');
      expect(status).toBe(200);
      expect(proxied.received).toMatchObject([{ method: 'OPTIONS', url: '/api/books?a=1' }]);
      expect(IDENTITY.flatMap((name) => proxied.valuesOf(name.toLowerCase()))).toEqual([]);
    });

    test('hears no identity with the preflight of a user who is logged in', async () => {
      const { cookie } = proxied.ada;
      expect((await proxied.ask('/', { ...PREFLIGHT, cookie }, 'OPTIONS')).status).toBe(200);
      expect(IDENTITY.flatMap((name) => proxied.valuesOf(name.toLowerCase()))).toEqual([]);
    });

    test.each(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'PROPFIND'])(
      'gets no %s without a login, whatever method it claims',
      async (method) => {
        for (const name of ['x-forwarded-method', 'x-original-method', 'x-http-method-override']) {
          const { status } = await proxied.ask('/', { ...PREFLIGHT, [name]: 'OPTIONS' }, method);
          expect([status, proxied.received]).toEqual([401, []]);
        }
      },
    );

    test('gets no other OPTIONS without a login', async () => {
      for (const missing of Object.keys(PREFLIGHT)) {
        const headers = Object.fromEntries(Object.entries(PREFLIGHT).filter(([name]) => name !== missing));
        const { status } = await proxied.ask('/', headers, 'OPTIONS');
        expect([status, proxied.received]).toEqual([401, []]);
      }
    });

    test.each([[], ['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 13']])(
      'opens no WebSocket for a preflight with %j',
      async (...more) => {
        const lines = Object.entries(PREFLIGHT).map(([name, value]) => `${name}: ${value}`);
        const answer = await proxied.send('OPTIONS /socket', [
          ...lines,
          'Connection: Upgrade',
          'Upgrade: websocket',
          ...more,
        ]);
        expect(answer).toMatch(/^HTTP\/1\.1 (?:200|401) /);
        expect(proxied.valuesOf('upgrade').join('')).toBe('');
      },
    );

    test('gets every other request as before', async () => {
      expect((await proxied.ask('/', { cookie: proxied.ada.cookie })).status).toBe(200);
      expect(proxied.valuesOf('x-auth-subject')).toEqual([proxied.ada.id]);
    });
  });

  test.skipIf(lacks(proxy.name))('gets no preflight with the file as it is', async () => {
    const proxied = await startProtectedApp(proxy);
    try {
      for (const path of ['/', '/?preflight=pass', '/v1/../?preflight=pass']) {
        const { status } = await proxied.ask(path, PREFLIGHT, 'OPTIONS');
        expect([status, proxied.received]).toEqual([401, []]);
      }
    } finally {
      await proxied.stop();
    }
  });

  test.skipIf(lacks(proxy.name))('gets who has a role where the line demands it', async () => {
    const proxied = await startProtectedApp(proxy, { parameters: 'role=admin' });
    const statusOf = async (token: string) =>
      (await proxied.ask('/', { authorization: `Bearer ${token}` })).status;
    try {
      expect([await statusOf(proxied.ada.token), await statusOf(proxied.bob.token)]).toEqual([200, 403]);
    } finally {
      await proxied.stop();
    }
  });
});
