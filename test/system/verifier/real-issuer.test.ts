import { rmSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { IdcardOptions } from '../../../src/verifier/index.ts';
import { ADA, bearer, CLEO, decode, type TokenBody } from '../../support/app.ts';
import { createOauthClient, retried } from '../../support/oauth-client.ts';
import {
  findFreePort,
  run,
  type ServerProcess,
  startServer,
  temporaryFolder,
} from '../../support/process.ts';
import { createService, type Service } from '../../verifier/service.ts';

/** One poll, and what a busy machine may take. */
const SOON_MS = 15_000;

let folder: string;
let env: Record<string, string>;
let issuer: ServerProcess | undefined;
let service: Service | undefined;

beforeEach(async () => {
  folder = temporaryFolder();
  const PORT = String(await findFreePort());
  env = { DATA_DIR: folder, PORT, PUBLIC_URL: `http://127.0.0.1:${PORT}`, RATE_LIMITS: 'off' };
});
afterEach(async () => {
  await service?.app.close();
  await issuer?.stop();
  [service, issuer] = [undefined, undefined];
  rmSync(folder, { recursive: true });
});

const url = () => env.PUBLIC_URL ?? '';
async function startService(options: Partial<IdcardOptions> = {}): Promise<Service> {
  service = await createService({ issuer: url(), audience: 'api', ...options });
  await service.app.ready();
  return service;
}
async function post(path: string, body?: object, headers: Record<string, string> = {}): Promise<Response> {
  const json = { 'content-type': 'application/json', ...headers };
  return fetch(url() + path, { method: 'POST', headers: json, body: JSON.stringify(body ?? {}) });
}
async function logIn(): Promise<string> {
  await post('/v1/register', CLEO);
  return ((await (await post('/v1/login', CLEO)).json()) as TokenBody).access_token;
}
const ask = ({ app }: Service, token: string) => app.inject({ url: '/v1/me', headers: bearer(token) });
const statusOf = async (running: Service, token: string) => (await ask(running, token)).statusCode;

test('a token of the server is accepted, and refused within a poll after a logout everywhere', async () => {
  issuer = await startServer(env);
  const running = await startService();
  const token = await logIn();
  const response = await ask(running, token);
  expect([response.statusCode, response.json()]).toEqual([200, decode(token)]);

  const since = Date.now();
  await post('/v1/logout-everywhere', undefined, bearer(token));
  await expect.poll(() => statusOf(running, token), { timeout: SOON_MS, interval: 20 }).toBe(401);
  console.info(`refused after ${Date.now() - since} ms`);
  expect((await ask(running, token)).json().detail).toBe('The token has been revoked; log in again.');
  expect(await statusOf(running, await logIn())).toBe(200);
});

test('a service starts without its issuer, is 503 for tokens, and recovers by itself', async () => {
  issuer = await startServer(env);
  const token = await logIn();
  await issuer.stop('SIGKILL');
  const running = await startService();
  const refused = await ask(running, token);
  expect([refused.statusCode, refused.headers['retry-after']]).toEqual([503, '5']);
  expect(refused.json()).toMatchObject({ type: 'urn:idcard:problem:issuer-unavailable', status: 503 });
  expect((await running.app.inject('/v1/me')).statusCode).toBe(401);

  issuer = await startServer(env);
  await expect.poll(() => statusOf(running, token), { timeout: SOON_MS }).toBe(200);
  await expect
    .poll(() => running.app.idcard.state(), { timeout: SOON_MS })
    .toEqual({
      keys: 'current',
      revocations: 'current',
    });
  const events = running.logLines().map(({ event }) => event);
  expect(events.filter(Boolean)).toEqual(['idcard.keys.stale', 'idcard.keys.current']);
});

test('while the issuer is away tokens are verified as before, and the log says so once each way', async () => {
  issuer = await startServer(env);
  const running = await startService({ revocationPollSeconds: 1 });
  const token = await logIn();
  await issuer.stop('SIGKILL');
  await expect.poll(() => running.app.idcard.state().revocations, { timeout: SOON_MS }).toBe('stale');
  expect(running.app.idcard.state().keys).toBe('current'); // nobody had to ask for them yet
  expect(await statusOf(running, token)).toBe(200);
  issuer = await startServer(env);
  await expect.poll(() => running.app.idcard.state().revocations, { timeout: SOON_MS }).toBe('current');
  const events = running.logLines().map(({ event }) => event);
  expect(events.filter(Boolean)).toEqual(['idcard.revocations.stale', 'idcard.revocations.current']);
});

test('a key that is revoked is refused soon, since the list comes signed with another', async () => {
  issuer = await startServer(env);
  const running = await startService();
  const token = await logIn();
  expect(await statusOf(running, token)).toBe(200);
  const settings = { DATA_DIR: folder, PUBLIC_URL: url() };
  const revoked = await run(['keys', 'revoke', String(decode(token, 0).kid)], { env: settings });
  expect(revoked.code, revoked.stderr).toBe(0);
  await issuer.stop();
  issuer = await startServer(env);
  const since = Date.now();
  expect(await statusOf(running, await logIn())).toBeOneOf([200, 401]);
  await expect.poll(() => statusOf(running, token), { timeout: 2 * SOON_MS }).toBe(401);
  console.info(`refused after ${Date.now() - since} ms`);
  await expect.poll(logInAndAsk, { timeout: SOON_MS }).toBe(200);

  async function logInAndAsk(): Promise<number> {
    return statusOf(running, await logIn());
  }
});

test('a rotation loses no token', async () => {
  issuer = await startServer({ ...env, JWKS_MAX_AGE_SECONDS: '1' });
  const running = await startService({ revocationPollSeconds: 1 });
  const old = await logIn();
  const settings = { DATA_DIR: folder, PUBLIC_URL: url(), JWKS_MAX_AGE_SECONDS: '1' };
  expect((await run(['keys', 'rotate', '--activate-in', '12'], { env: settings })).code).toBe(0);
  await issuer.stop();
  issuer = await startServer({ ...env, JWKS_MAX_AGE_SECONDS: '1' });
  const tokens = [old];
  const kids = () => new Set(tokens.map((token) => decode(token, 0).kid));
  while (kids().size < 2) {
    const token = await logIn();
    tokens.push(token);
    expect([await statusOf(running, token), await statusOf(running, old)]).toEqual([200, 200]);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
});

test("a client that holds a key of its own is served with the service's own nonces", async () => {
  issuer = await startServer(env);
  const port = await findFreePort();
  const publicUrl = `http://127.0.0.1:${port}`;
  const running = await startService({ publicUrl });
  await running.app.listen({ host: '127.0.0.1', port });
  await post('/v1/register', ADA);
  const client = await createOauthClient(url());
  const { access_token } = await client.logIn();
  const thief = await createOauthClient(publicUrl);
  await expect(retried(() => thief.ask(access_token, 'GET', '/v1/me'))).rejects.toMatchObject({
    status: 401,
  });
  const answer = await retried(() => client.ask(access_token, 'GET', `${publicUrl}/v1/me?page=1`));
  expect([answer.status, ((await answer.json()) as { cnf: object }).cnf]).toEqual([200, { jkt: client.jkt }]);
});

test.each(['https://login.example.com', 'https://example.com/auth'])(
  'a service inside asks %s at another address, and compares the issuer exactly all the same',
  async (PUBLIC_URL) => {
    issuer = await startServer({ ...env, PUBLIC_URL });
    const asked: string[] = [];
    const internalUrl = url();
    const running = await startService({
      issuer: PUBLIC_URL,
      internalUrl: `${internalUrl}/`,
      fetch: (address, init) => {
        asked.push(String(address));
        return fetch(address, init);
      },
    });
    const token = await logIn();
    expect((await ask(running, token)).json()).toMatchObject({ iss: PUBLIC_URL });
    await post('/v1/logout-everywhere', undefined, bearer(token));
    await expect.poll(() => statusOf(running, token), { timeout: SOON_MS, interval: 20 }).toBe(401);
    expect(new Set(asked)).toEqual(
      new Set([`${internalUrl}/.well-known/jwks.json`, `${internalUrl}/.well-known/revocations`]),
    );
    await running.app.close();
    // Whoever is asked, its tokens are those of another issuer.
    const strict = await startService({ issuer: 'https://login.example.org', internalUrl });
    expect(await statusOf(strict, await logIn())).toBe(401);
  },
);
