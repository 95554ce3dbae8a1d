import { afterEach, beforeEach } from 'vitest';
import type { Revocation } from '../../../src/proofs/revocations/revocations.ts';
import type { IdcardOptions } from '../../../src/verifier/index.ts';
import { ADA, addUser, BOB, bearer, logIn, START, type TestApp } from '../../support/app.ts';
import { describe, expect, startIdcard, test } from '../../support/idcard.ts';
import { startNginx } from '../../support/nginx.ts';
import { findFreePort } from '../../support/process.ts';
import { lacks } from '../../support/system.ts';
import { createService, type Service } from '../../verifier/service.ts';

/** Some polls, and what a busy machine may take. */
const SOON = { timeout: 20_000, interval: 50 };

let idcard: TestApp;
/** What the directory says beside what is in it. */
let alsoRaised: Revocation[];
let issuerUrl: string;
let service: Service | undefined;
/** How often the service has asked for the list. */
let asked: number;
beforeEach(async () => {
  alsoRaised = [];
  const directory = (real: TestApp['directory']): TestApp['directory'] => ({
    ...real,
    raisedSince: async (since) => [...(await real.raisedSince(since)), ...alsoRaised],
  });
  idcard = await startIdcard({ directory });
  issuerUrl = await idcard.app.listen({ host: '127.0.0.1', port: 0 });
  await addUser(idcard, ADA);
  await addUser(idcard, BOB);
});
afterEach(() => service?.app.close());

/** A service whose way to the issuer is the given one, and whose clock is the issuer's. */
async function startService(address: string): Promise<Service> {
  asked = 0;
  const through: IdcardOptions['fetch'] = (url, init) => {
    if (String(url).endsWith('/revocations')) asked++;
    return fetch(String(url).replace(idcard.config.server.publicUrl, address), init);
  };
  service = await createService({
    issuer: idcard.config.server.publicUrl,
    audience: 'api',
    clock: () => idcard.time.now,
    revocationPollSeconds: 1,
    fetch: through,
  });
  await service.app.ready();
  expect(service.app.idcard.state()).toEqual({ keys: 'current', revocations: 'current' });
  return service;
}
const ask = async ({ app }: Service, token: string) =>
  (await app.inject({ url: '/v1/me', headers: bearer(token) })).statusCode;

async function revoke(user = ADA): Promise<void> {
  const { id = '' } = (await idcard.directory.findByEmail(user.email)) ?? {};
  await idcard.directory.updateAndVoidTokens(id, {});
  await idcard.app.pollRevocations();
}

test('of 70,000 revoked users, the first one is refused too; others refresh', async () => {
  const running = await startService(issuerUrl);
  const [ada, bob] = [await logIn(idcard, ADA), await logIn(idcard, BOB)];
  expect([await ask(running, ada.access_token), await ask(running, bob.access_token)]).toEqual([200, 200]);

  idcard.time.now += 10;
  await revoke(ADA);
  alsoRaised = Array.from({ length: 70_000 }, (_, index) => ({
    sub: `user ${index}`,
    ver: 2,
    raisedAtSeconds: START + 20 + (index % 50),
  }));
  idcard.time.now = START + 160;
  await idcard.app.pollRevocations();
  await expect.poll(() => ask(running, ada.access_token), SOON).toBe(401);
  expect(running.app.idcard.state().revocations).toBe('current');
  expect(running.logLines().filter(({ event }) => event)).toEqual([]);

  expect(await ask(running, bob.access_token)).toBe(401);
  const body = { refresh_token: bob.refresh_token };
  const refreshed = await idcard.post('/v1/refresh', body);
  expect(await ask(running, refreshed.json().access_token)).toBe(200);
  expect(await ask(running, (await logIn(idcard, ADA)).access_token)).toBe(200);
});

describe.skipIf(lacks('nginx'))('behind an nginx that caches', () => {
  async function startCache(settings: string) {
    const port = await findFreePort();
    const nginx = await startNginx(
      `proxy_cache_path cache keys_zone=list:1m;
       server {
         listen 127.0.0.1:${port};
         location / { proxy_pass ${issuerUrl}; proxy_cache list; ${settings} }
       }`,
      port,
    );
    return { nginx, address: `http://127.0.0.1:${port}` };
  }

  test('what is to be cached, a revocation arrives with the next poll', async () => {
    const { nginx, address } = await startCache('proxy_cache_valid 200 304 10m;');
    const running = await startService(address);
    const { access_token } = await logIn(idcard);
    expect(await ask(running, access_token)).toBe(200);
    await revoke();
    await expect.poll(() => ask(running, access_token), SOON).toBe(401);
    await nginx.stop();
  });

  test('what is not to be cached too, the list is stale as soon as it is 20 s old, and that is told', async () => {
    const settings = 'proxy_ignore_headers Cache-Control; proxy_cache_valid 200 10m;';
    const { nginx, address } = await startCache(settings);
    const running = await startService(address);
    const { access_token } = await logIn(idcard);
    await revoke();
    idcard.time.now += 20;
    const before = asked;
    await expect.poll(() => asked, SOON).toBeGreaterThan(before + 1);
    expect(running.app.idcard.state().revocations).toBe('current');
    expect(await ask(running, access_token)).toBe(200);
    idcard.time.now += 1;
    await expect.poll(() => running.app.idcard.state().revocations, SOON).toBe('stale');
    const told = running.logLines().filter(({ event }) => event === 'idcard.revocations.stale');
    expect(told).toEqual([
      expect.objectContaining({
        err: expect.objectContaining({ message: 'The list of revocations is an old one.' }),
      }),
    ]);
    await nginx.stop();
  });
});
