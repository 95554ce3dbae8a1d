import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, type TestContext, test } from 'vitest';
import { ADA, bearer, type TokenBody } from '../support/app.ts';
import { newDatabase } from '../support/postgres.ts';
import { bin, findFreePort, launch, run, type ServerProcess, temporaryFolder } from '../support/process.ts';
import {
  ask,
  isAlive,
  listeningPorts,
  startLoad,
  startWorkers,
  until,
  workersOf,
} from '../support/workers.ts';

const WRONG = { ...ADA, password: 'a guess that is quite long' };

function newFolder({ onTestFinished }: Pick<TestContext, 'onTestFinished'>): string {
  const folder = temporaryFolder();
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function firstTokens(url: string): Promise<TokenBody> {
  expect((await ask(`${url}/v1/register`, { body: ADA })).status).toBe(201);
  return JSON.parse((await ask(`${url}/v1/login`, { body: ADA })).text);
}

/** The log, whose every line must be JSON. */
function logOf(server: ServerProcess): Record<string, unknown>[] {
  return server
    .stdout()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** The statuses of so many requests, each on a connection of its own, one after the other: all workers have a turn. */
async function inTurn(
  times: number,
  url: string,
  options: Parameters<typeof ask>[1] = {},
): Promise<number[]> {
  const statuses: number[] = [];
  for (let index = 0; index < times; index++) statuses.push((await ask(url, options)).status);
  return statuses;
}

describe('several workers', () => {
  test('answer on one port, are greeted for once, and log lines that tell them apart', async (context) => {
    const DATA_DIR = join(newFolder(context), 'data');
    const server = await startWorkers(3, { DATA_DIR });
    expect(workersOf(server.pid)).toHaveLength(3);
    expect(server.stderr().match(/idcard serves on/g)).toHaveLength(1);
    expect(readdirSync(DATA_DIR).sort()).toEqual(
      ['idcard.sqlite', 'idcard.sqlite-shm', 'idcard.sqlite-wal', 'keys.json'].sort(),
    );
    for (const file of readdirSync(DATA_DIR)) expect(statSync(join(DATA_DIR, file)).mode & 0o777).toBe(0o600);

    await firstTokens(server.url);
    expect(await inTurn(12, `${server.url}/v1/login`, { body: ADA })).toEqual(Array(12).fill(200));
    const logins = logOf(server).filter(({ event }) => event === 'login.succeeded');
    expect(new Set(logins.map(({ worker }) => worker))).toEqual(new Set([1, 2, 3]));
    expect(await server.stop()).toBe(0);
  });

  test.runIf(process.platform === 'linux')('share the one port that PORT=0 finds', async (context) => {
    const env = { WORKERS: '3', DATA_DIR: newFolder(context), PUBLIC_URL: 'https://a.example', PORT: '0' };
    const primary = spawn(process.execPath, [bin(), 'serve'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    await once(primary.stderr, 'data'); // the greeting
    const ports = [primary.pid ?? 0, ...workersOf(primary.pid ?? 0)].flatMap(listeningPorts);
    expect(new Set(ports).size).toBe(1);
    const address = `http://localhost:${ports[0]}/livez`;
    expect(await inTurn(6, address)).toEqual(Array(6).fill(200));
    primary.kill('SIGINT');
    expect(await once(primary, 'close')).toEqual([0, null]);
  });

  test('take 200 registrations at once without a refusal, and no email twice', async () => {
    const server = await startWorkers(4, { RATE_LIMITS: 'off', PASSWORD_QUEUE_SECONDS: '60' });
    const body = (index: number) => ({ ...ADA, email: `user${index % 200}@example.com` });
    const register = (index: number) => ask(`${server.url}/v1/register`, { body: body(index) });
    const answers = await Promise.all(Array.from({ length: 220 }, (_, index) => register(index)));
    const counts = Object.groupBy(answers, ({ status }) => status);
    expect(Object.entries(counts).map(([status, list]) => [status, list?.length])).toEqual([
      ['201', 200],
      ['409', 20],
    ]);
    expect(logOf(server).filter(({ event }) => event === 'user.registered')).toHaveLength(200);
    expect(await server.stop()).toBe(0);
  }, 90_000);
});

describe('a guess counts, whichever worker gets it:', () => {
  test('the twelfth at an account waits', async () => {
    const server = await startWorkers(4);
    await firstTokens(server.url);
    const other = { ...WRONG, email: 'bob@example.com' };
    const statuses = await inTurn(12, `${server.url}/v1/login`, { body: other });
    expect(statuses).toEqual([...Array(11).fill(401), 429]);
    const { status } = await ask(`${server.url}/v1/login`, { body: ADA });
    expect(status).toBe(200);
    await server.stop();
  });

  test('made at once, too', async () => {
    const server = await startWorkers(4, { PASSWORD_QUEUE_SECONDS: '60' });
    const guesses = Array.from({ length: 40 }, () => ask(`${server.url}/v1/login`, { body: WRONG }));
    const statuses = (await Promise.all(guesses)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(13); // a slow machine's second
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(27);
    await server.stop();
  });

  test('and a success at any of them takes back itself alone', async () => {
    const server = await startWorkers(2);
    await firstTokens(server.url);
    expect(await inTurn(8, `${server.url}/v1/login`, { body: WRONG })).toEqual(Array(8).fill(401));
    expect(await inTurn(12, `${server.url}/v1/login`, { body: ADA })).toEqual(Array(12).fill(200));
    const statuses = await inTurn(4, `${server.url}/v1/login`, { body: WRONG });
    expect(statuses).toEqual([401, 401, 401, 429]);
    await server.stop();
  });
});

describe('a revocation', () => {
  test('in one worker is heard by all without waiting for a poll', async () => {
    const server = await startWorkers(4, { REVOCATION_POLL_SECONDS: '60' });
    const { access_token } = await firstTokens(server.url);
    const headers = bearer(access_token);
    expect(await inTurn(8, `${server.url}/v1/verify`, { headers })).toEqual(Array(8).fill(200));
    const { status } = await ask(`${server.url}/v1/logout-everywhere`, { method: 'POST', headers });
    expect(status).toBe(204);
    await sleep(200);
    expect(await inTurn(12, `${server.url}/v1/verify`, { headers })).toEqual(Array(12).fill(401));
    await server.stop();
  });

  test('by the operator is heard by all within a poll', async () => {
    const server = await startWorkers(3, { REVOCATION_POLL_SECONDS: '1' });
    const { access_token } = await firstTokens(server.url);
    const headers = bearer(access_token);
    const { dataDir: DATA_DIR } = server;
    expect((await run(['users', 'disable', ADA.email], { env: { DATA_DIR } })).code).toBe(0);
    await sleep(1500);
    expect(await inTurn(9, `${server.url}/v1/verify`, { headers })).toEqual(Array(9).fill(401));
    await server.stop();
  });
});

describe('a worker that is killed', () => {
  test('under load takes no request with it but those it had, and is replaced', async () => {
    const server = await startWorkers(3);
    const { access_token } = await firstTokens(server.url);
    const clients = 9;
    const load = startLoad(`${server.url}/v1/verify`, clients, bearer(access_token));
    await until(() => load.answers() > 500);
    const [victim = 0, ...others] = workersOf(server.pid);
    process.kill(victim, 'SIGKILL');
    await until(() => logOf(server).filter(({ msg }) => msg === 'server.listening').length > 3);
    expect(workersOf(server.pid)).toEqual(expect.arrayContaining(others));
    expect(workersOf(server.pid)).toHaveLength(3);
    const before = load.answers();
    await until(() => load.answers() > before + 500);
    await load.stop();
    expect(load.failures().length).toBeLessThanOrEqual(clients); // at most the one that each had under way
    expect(logOf(server)).toContainEqual(
      expect.objectContaining({ event: 'worker.ended', worker: 1, signal: 'SIGKILL' }),
    );
    expect(await server.stop()).toBe(0);
  });

  test('and cannot start again is tried ever more rarely, while the others serve, until it can', async () => {
    const server = await startWorkers(2);
    const keys = join(server.dataDir, 'keys.json');
    chmodSync(keys, 0o644);
    process.kill(workersOf(server.pid)[0] ?? 0, 'SIGKILL');
    const attempts = () => server.stderr().match(/^idcard: The key file .*\.$/gm)?.length ?? 0;
    await until(() => attempts() > 0);
    await sleep(2000);
    expect(attempts()).toBeLessThanOrEqual(4);
    expect(await inTurn(4, `${server.url}/livez`)).toEqual([200, 200, 200, 200]);
    chmodSync(keys, 0o600);
    await until(() => logOf(server).filter(({ msg }) => msg === 'server.listening').length === 3);
    expect(await server.stop()).toBe(0);
  });

  test('is replaced by one with the settings of the others, whatever has become of the file .env', async (context) => {
    const cwd = newFolder(context);
    const file = join(cwd, '.env');
    writeFileSync(file, 'AUDIENCE=one\n', { mode: 0o600 });
    const server = await startWorkers(2, {}, cwd);
    writeFileSync(file, 'AUDIENCE=one\nREQUIRE_DPOP=true\nTORN');
    for (const worker of workersOf(server.pid)) process.kill(worker, 'SIGKILL');
    await until(() => logOf(server).filter(({ msg }) => msg === 'server.listening').length === 4);
    const { access_token } = await firstTokens(server.url); // by bearer
    const [, claims = ''] = access_token.split('.');
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({ aud: 'one' });
    expect(await server.stop()).toBe(0);
  });
});

describe('a stop of several workers', () => {
  test('by SIGTERM under load: none is ready, all serve for the delay, no request fails, exit code 0', async () => {
    const server = await startWorkers(3, { SHUTDOWN_DELAY_SECONDS: '2' });
    const { access_token } = await firstTokens(server.url);
    const load = startLoad(`${server.url}/v1/verify`, 6, bearer(access_token));
    await until(() => load.answers() > 300);
    const workers = workersOf(server.pid);
    const start = performance.now();
    const ended = server.stop();
    await until(() => logOf(server).filter(({ event }) => event === 'server.stopping').length === 3);
    expect(await inTurn(6, `${server.url}/readyz`)).toEqual(Array(6).fill(503));
    const before = load.answers();
    expect((await ask(`${server.url}/v1/login`, { body: ADA })).status).toBe(200);
    await until(() => load.answers() > before + 100);
    await load.stop(); // the balancer has noticed
    expect(load.failures()).toEqual([]);
    expect(await ended).toBe(0);
    expect(performance.now() - start).toBeGreaterThan(2000);
    expect(workers.filter(isAlive)).toEqual([]);
  });

  test('by SIGTERM answers what is in flight', async () => {
    const server = await startWorkers(2, { ARGON2_MEMORY_KIB: '65536', ARGON2_TIME_COST: '8' });
    const body = (index: number) => ({ ...ADA, email: `user${index}@example.com` });
    const answers = [1, 2].map((index) => ask(`${server.url}/v1/register`, { body: body(index) }));
    await sleep(150);
    expect(await server.stop()).toBe(0);
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([201, 201]);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)(
    'by %s to every process of the group counts once',
    async (signal) => {
      const server = await startWorkers(2, { SHUTDOWN_DELAY_SECONDS: '1' });
      for (const pid of workersOf(server.pid)) process.kill(pid, signal);
      expect(await server.stop(signal)).toBe(0);
      const stops = logOf(server).filter(({ event }) => event === 'server.stopping');
      expect(stops.map(({ signal }) => signal)).toEqual([signal, signal]);
    },
  );

  test.each([100, 300])('while one starts, %i ms after its fork, ends it too', async (ms) => {
    const DATABASE_URL = await newDatabase();
    const server = await startWorkers(2, { DATABASE_URL, SHUTDOWN_DELAY_SECONDS: '0' });
    const [victim = 0, other] = workersOf(server.pid);
    process.kill(victim, 'SIGKILL');
    const starting = () => workersOf(server.pid).find((pid) => pid !== victim && pid !== other);
    await until(() => starting() !== undefined);
    await sleep(ms);
    const workers = workersOf(server.pid);
    expect(await server.stop()).toBe(0);
    expect(workers.filter(isAlive)).toEqual([]);
    expect(server.stderr()).not.toContain('Warning');
  });

  test('while the first one starts ends it too', async (context) => {
    const DATA_DIR = newFolder(context);
    const env = {
      WORKERS: '2',
      DATA_DIR,
      DATABASE_URL: await newDatabase(),
      PORT: String(await findFreePort()),
    };
    const { pid, finished } = launch(['serve'], { env: { ...env, SHUTDOWN_DELAY_SECONDS: '0' } });
    await until(() => workersOf(pid).length > 0);
    await sleep(100);
    const workers = workersOf(pid);
    process.kill(pid, 'SIGTERM');
    expect(await finished).toMatchObject({ code: 0, stderr: '' });
    expect(workers.filter(isAlive)).toEqual([]);
  });

  test('asked for twice is at once', async () => {
    const server = await startWorkers(2, { SHUTDOWN_DELAY_SECONDS: '60' });
    const workers = workersOf(server.pid);
    process.kill(server.pid, 'SIGTERM');
    await until(() => server.stdout().includes('server.stopping'));
    expect(await server.stop('SIGINT')).toBe(1);
    await until(() => !workers.some(isAlive));
  });

  test('by a kill of the primary leaves no orphan, and the port is free', async (context) => {
    const env = { DATA_DIR: newFolder(context), PORT: String(await findFreePort()) };
    const server = await startWorkers(3, env);
    const { access_token } = await firstTokens(server.url);
    const load = startLoad(`${server.url}/v1/verify`, 3, bearer(access_token));
    const workers = workersOf(server.pid);
    await server.stop('SIGKILL');
    const killedAt = performance.now();
    await until(() => !workers.some(isAlive));
    expect(performance.now() - killedAt).toBeLessThan(2000);
    await load.stop();
    const next = await startWorkers(2, env);
    expect((await ask(`${next.url}/v1/verify`, { headers: bearer(access_token) })).status).toBe(200);
    expect(await next.stop()).toBe(0);
  });
});

describe('several workers that cannot start end with one sentence, told once:', () => {
  async function refusal(env: Record<string, string>): Promise<string> {
    const { code, stdout, stderr } = await run(['serve'], { env: { WORKERS: '4', ...env } });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^idcard: [A-Z][^\n]+\.\n$/);
    return stderr;
  }

  test('an address in use', async (context) => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const PORT = typeof address === 'object' ? String(address?.port) : '';
    expect(await refusal({ DATA_DIR: newFolder(context), HOST: '127.0.0.1', PORT })).toContain(
      'already in use',
    );
    server.close();
  });

  test('a key set that is no good', async (context) => {
    const DATA_DIR = newFolder(context);
    writeFileSync(join(DATA_DIR, 'keys.json'), '{}', { mode: 0o600 });
    expect(await refusal({ DATA_DIR })).toContain('not a private JWK Set');
    expect(existsSync(join(DATA_DIR, 'idcard.sqlite'))).toBe(false);
  });

  test('a database that is none', async (context) => {
    const DATA_DIR = newFolder(context);
    writeFileSync(join(DATA_DIR, 'idcard.sqlite'), 'This is a letter to my aunt. '.repeat(100));
    expect(await refusal({ DATA_DIR })).toContain('idcard.sqlite');
  });
});
