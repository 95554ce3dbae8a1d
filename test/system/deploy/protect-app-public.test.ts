import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bearer, START } from '../../support/app.ts';
import { PROXIES, type ProtectedApp, PUBLIC_PATHS, startProtectedApp } from '../../support/protected-app.ts';
import { lacks } from '../../support/system.ts';
import { createService, type Service } from '../../verifier/service.ts';

describe.each(PROXIES)('behind $name', (proxy) => {
  describe.skipIf(lacks(proxy.name))('what idcard publishes needs no login', () => {
    let proxied: ProtectedApp;
    let service: Service;

    beforeAll(async () => {
      proxied = await startProtectedApp(proxy);
      const issuer = { issuer: proxied.origin, audience: 'api', revocationPollSeconds: 1 };
      service = await createService({ ...issuer, clock: () => START });
      await service.app.ready();
    });
    afterAll(async () => {
      await service?.app.close();
      await proxied?.stop();
    });

    test.each(PUBLIC_PATHS)('%s is answered by idcard', async (path) => {
      const direct = await proxied.idcard.app.inject({ url: path });
      const { status, headers } = await proxied.ask(path);
      expect([status, headers['content-type']]).toEqual([direct.statusCode, direct.headers['content-type']]);
      expect(proxied.received).toEqual([]);
    });

    test.each([
      '/.well-known/acme-challenge/token',
      '/.well-known/security.txt',
      '/.well-known/',
      '/.well-known/jwks.json/',
      '/.well-known/jwks.json.bak',
      '/.well-known/jwks.json/../secret',
      '/.well-known/revocations/x',
      '/x/.well-known/jwks.json',
      '/.well-knownXjwks.json',
      '/.well-known/jwksXjson',
    ])('%s is of the application, behind the login', async (path) => {
      expect((await proxied.ask(path)).status).toBe(401);
      expect(proxied.received).toEqual([]);
      expect((await proxied.ask(path, bearer(proxied.ada.token))).status).toBe(200);
      expect(proxied.received).toHaveLength(1);
    });

    test('so that another service verifies by itself, and hears of a revocation', async () => {
      const statusOf = async (token: string) =>
        (await service.app.inject({ url: '/v1/me', headers: bearer(token) })).statusCode;
      expect([await statusOf(proxied.ada.token), await statusOf(proxied.bob.token)]).toEqual([200, 200]);
      const loggedOut = await proxied.ask('/v1/logout-everywhere', bearer(proxied.bob.token), 'POST');
      expect(loggedOut.status).toBe(204);
      await proxied.idcard.app.pollRevocations();
      await expect.poll(() => statusOf(proxied.bob.token), { timeout: 15_000 }).toBe(401);
      expect(await statusOf(proxied.ada.token)).toBe(200);
    });
  });
});
