import { createPrivateKey } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import type { PrivateJwkSet } from '../../src/proofs/keys/key-set.ts';
import { CLEO } from '../support/app.ts';
import { es256, forge, keyOf } from '../support/forge.ts';
import { findFreePort, run, type ServerProcess, startServer, temporaryFolder } from '../support/process.ts';

const ISSUER = 'https://login.example';
const TTL = 10;
const ACTIVATE_IN = 8;
const TOLERANCE = 1;

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

type Tokens = { access_token: string; refresh_token: string };

/** Two real processes on one directory; requests go to one that is up, as through a balancer. */
async function startReplicas(env: Record<string, string> = {}) {
  const folder = temporaryFolder();
  folders.push(folder);
  const settings = {
    DATA_DIR: folder,
    PUBLIC_URL: ISSUER,
    ACCESS_TOKEN_TTL_SECONDS: String(TTL),
    REVOCATION_POLL_SECONDS: '1',
    CLOCK_TOLERANCE_SECONDS: String(TOLERANCE),
    JWKS_MAX_AGE_SECONDS: '1',
    RATE_LIMITS: 'off',
    ...env,
  };
  const ports = [await findFreePort(), await findFreePort()];
  const start = (index: number) => startServer({ ...settings, PORT: String(ports[index]) });
  const replicas: (ServerProcess | undefined)[] = [await start(0), await start(1)];
  const addressOf = (index: number) => `http://127.0.0.1:${ports[index]}`;

  return {
    folder,
    settings,
    addressOf,
    up: () => [0, 1].filter((index) => replicas[index]).map(addressOf),
    async restart(index: number) {
      const replica = replicas[index];
      replicas[index] = undefined; // no new requests from now on
      await sleep(100);
      expect(await replica?.stop()).toBe(0);
      replicas[index] = await start(index);
    },
    async stop() {
      await Promise.all(replicas.map((replica) => replica?.stop()));
    },
  };
}

const postTo = (address: string, path: string, body: object) =>
  fetch(address + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

/** Logs in, verifies and refreshes without end, each step at whichever replica is up; keeps every failure. */
function startTraffic(up: () => string[]) {
  const failures: string[] = [];
  let requests = 0;
  let isRunning = true;

  async function request(path: string, init: RequestInit): Promise<Response> {
    const addresses = up();
    const address = addresses[requests++ % addresses.length];
    const response = await fetch(address + path, init);
    if (!response.ok) failures.push(`${path}: ${response.status} ${await response.clone().text()}`);
    return response;
  }
  const post = (path: string, body: object) =>
    request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const verify = (token: string) => request('/v1/verify', { headers: { authorization: `Bearer ${token}` } });

  async function client(): Promise<void> {
    let tokens = (await (await post('/v1/login', CLEO)).json()) as Tokens;
    while (isRunning) {
      for (let round = 0; round < 4; round++) {
        await verify(tokens.access_token);
        await sleep(25);
      }
      const refreshed = await post('/v1/refresh', { refresh_token: tokens.refresh_token });
      tokens = (await refreshed.json()) as Tokens;
    }
  }
  const clients = [client(), client(), client()];
  return {
    async stop() {
      isRunning = false;
      await Promise.all(clients);
      return { failures, requests };
    },
  };
}

const keysIn = (folder: string) =>
  JSON.parse(readFileSync(join(folder, 'keys.json'), 'utf8')) as PrivateJwkSet;

test.concurrent.each([
  ['the first one first', [0, 1]],
  ['the second one first', [1, 0]],
])(
  'a full rotation under traffic, restarting %s, fails no request and retires the old key',
  async (_name, order) => {
    const replicas = await startReplicas();
    expect((await postTo(replicas.addressOf(0), '/v1/register', CLEO)).status).toBe(201);
    const oldKey = keyOf(keysIn(replicas.folder), 'EC');
    const traffic = startTraffic(replicas.up);

    const rotated = await run(['keys', 'rotate', '--activate-in', String(ACTIVATE_IN), '--json'], {
      env: replicas.settings,
    });
    const { kids, signs_from } = JSON.parse(rotated.stdout) as { kids: string[]; signs_from: string };
    for (const index of order) await replicas.restart(index);
    expect(Date.now(), 'both restarted in time').toBeLessThan(Date.parse(signs_from));

    const retiredAt = Date.parse(signs_from) + (TTL + TOLERANCE) * 1000;
    const forgeNow = () => {
      const now = Math.floor(Date.now() / 1000);
      const claims = {
        iss: ISSUER,
        sub: 'ada',
        aud: 'api',
        exp: now + TTL,
        iat: now,
        jti: 'j',
        auth_time: now,
      };
      return forge(
        { alg: 'ES256', typ: 'at+jwt', kid: oldKey.kid },
        { ...claims, amr: ['pwd'], ver: 1, client_id: 'idcard', scope: 'account', roles: [] },
        es256(createPrivateKey({ key: oldKey, format: 'jwk' })),
      );
    };
    const statuses = async () =>
      Promise.all(
        replicas.up().map(async (address) => {
          const headers = { authorization: `Bearer ${forgeNow()}` };
          return (await fetch(`${address}/v1/verify`, { headers })).status;
        }),
      );
    await sleep(retiredAt - 1500 - Date.now());
    expect(await statuses(), 'the old key is accepted until its end').toEqual([200, 200]);
    await sleep(retiredAt + 100 - Date.now());
    expect(await statuses(), 'and refused from then on').toEqual([401, 401]);

    const { failures, requests } = await traffic.stop();
    const published = (await (await fetch(`${replicas.up()[0]}/.well-known/jwks.json`)).json()) as {
      keys: { kid: string }[];
    };
    expect(published.keys.map(({ kid }) => kid)).toEqual(kids.slice(0, 1));
    await replicas.stop();
    expect(failures).toEqual([]);
    expect(requests).toBeGreaterThan(500);
  },
  90_000,
);

describe.each([
  ['EC', 'access_token'],
  ['oct', 'refresh_token'],
] as const)('while keys rotate, the %s key leaks', (kty, signedByIt) => {
  test.each([
    [0, 1],
    [1, 0],
  ])(
    'and replica %d is restarted first: each takes what the other gives, but for what the leaked key signed',
    async (first, second) => {
      const replicas = await startReplicas({ ACCESS_TOKEN_TTL_SECONDS: '300' });
      onTestFinished(() => replicas.stop());
      const [address, laterAddress] = [replicas.addressOf(first), replicas.addressOf(second)];
      await postTo(address, '/v1/register', CLEO);
      const leaked = keyOf(keysIn(replicas.folder), kty);
      const cli = (...args: string[]) => run(['keys', ...args], { env: replicas.settings });
      expect((await cli('rotate')).code).toBe(0);
      for (const index of [first, second]) await replicas.restart(index);

      const logIn = async (at: string) => (await (await postTo(at, '/v1/login', CLEO)).json()) as Tokens;
      /** What a replica answers to the access token, and to the refresh token, of a login. */
      const accepts = async (at: string, { access_token, refresh_token }: Tokens) => {
        const headers = { authorization: `Bearer ${access_token}` };
        return {
          access_token: (await fetch(`${at}/v1/verify`, { headers })).status,
          refresh_token: (await postTo(at, '/v1/refresh', { refresh_token })).status,
        };
      };
      const both = { access_token: 200, refresh_token: 200 };

      expect((await cli('revoke', '--', leaked.kid ?? '')).code).toBe(0);
      await replicas.restart(first);
      const atRestarted = await logIn(address);
      expect(await accepts(laterAddress, atRestarted)).toEqual(both);
      const atLater = await logIn(laterAddress);
      expect(await accepts(address, atLater)).toEqual({ ...both, [signedByIt]: 401 });

      await replicas.restart(second);
      for (const at of [address, laterAddress]) {
        expect(await accepts(at, await logIn(address))).toEqual(both);
        expect(await accepts(at, await logIn(laterAddress))).toEqual(both);
        expect(await accepts(at, atRestarted)).toEqual(both);
        expect(await accepts(at, atLater)).toEqual({ ...both, [signedByIt]: 401 });
      }
    },
    60_000,
  );
});
