import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { openDatabase } from '../../../src/database/index.ts';
import { Problem } from '../../../src/problems/problem.ts';
import { createDirectory, type Directory } from '../../../src/users/directory.ts';
import { ADA, addUser, bearer, logIn, START, type TestApp } from '../../support/app.ts';
import { describe, expect, startIdcard, test } from '../../support/idcard.ts';
import {
  createDatabase,
  execute,
  type PostgresServer,
  startPostgres,
  urlOf,
} from '../../support/postgres.ts';

const PROMISED_MS = 2000;

let server: PostgresServer;
let admin: string;
let url: string;
beforeAll(async () => {
  server = await startPostgres();
  admin = urlOf(server.port, 'postgres');
});
afterAll(() => server.remove());
beforeEach(async () => {
  url = await createDatabase(server.port);
});

const TERMINATE =
  'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid != pg_backend_pid() AND datname IS NOT NULL';

describe('while the server is away, verification goes on, and login and refresh answer 503 within 2 s,', () => {
  let harness: TestApp;
  let tokens: Awaited<ReturnType<typeof logIn>>;
  beforeEach(async () => {
    harness = await startIdcard({ env: { DATABASE_URL: url, RATE_LIMITS: 'off' } });
    await addUser(harness);
    tokens = await logIn(harness);
    // All connections of the pool are there, and idle.
    await Promise.all(Array.from({ length: 30 }, () => harness.directory.findByEmail(ADA.email)));
  });

  const login = () => harness.post('/v1/login', ADA);
  const refresh = () => harness.post('/v1/refresh', { refresh_token: tokens.refresh_token });
  const verify = () => harness.get('/v1/verify', bearer(tokens.access_token));

  async function expectAway(atOnce: number): Promise<void> {
    const start = performance.now();
    const answers = await Promise.all(Array.from({ length: atOnce }, () => [login(), refresh()]).flat());
    expect(performance.now() - start).toBeLessThan(PROMISED_MS);
    for (const answer of answers) {
      expect(answer).toBeProblem('unavailable');
      expect(answer.headers['retry-after']).toBe('2');
    }
    expect((await verify()).statusCode).toBe(200);
  }

  async function expectBack(): Promise<void> {
    const start = performance.now();
    while ((await login()).statusCode !== 200) {
      expect(performance.now() - start).toBeLessThan(5000);
      await sleep(100);
    }
    expect((await refresh()).statusCode).toBe(200);
  }

  test('and work again, when it was shut down and comes back', async () => {
    await server.stop();
    await expectAway(15);
    await expectAway(1);
    await server.start();
    await expectBack();
  });

  test('and work again, when it was stopped and not closed', async () => {
    const pids = (await execute(admin, 'SELECT pid FROM pg_stat_activity')).map(({ pid }) => Number(pid));
    const signal = (name: NodeJS.Signals) => {
      for (const pid of [server.pid, ...pids]) {
        try {
          process.kill(pid, name);
        } catch {} // the connection that asked is gone
      }
    };
    signal('SIGSTOP');
    try {
      await expectAway(15); // over connections that were there
      await expectAway(15); // over none
    } finally {
      signal('SIGCONT');
    }
    await expectBack();
  });

  test('and no password, email or hash is in the log', async () => {
    await server.stop();
    await expectAway(1);
    await server.start();
    for (const text of [ADA.email, ADA.password, 'otters', 'argon2'])
      expect(harness.logText()).not.toContain(text);
    expect(harness.log().filter(({ event }) => event === 'request.failed')).toHaveLength(2);
  });
});

describe('connections', () => {
  let directory: Directory;
  afterEach(() => directory.close());

  const open = async (through = url, poolSize = 10) =>
    createDirectory(await openDatabase(through, { poolSize }), () => START);
  const add = (email: string) => directory.add({ email, passwordHash: null, roles: [] });

  async function expectUnavailable(call: Promise<unknown>): Promise<void> {
    const start = performance.now();
    const error = await call.catch((reason: unknown) => reason);
    if (!(error instanceof Problem)) throw new Error('It is no problem.', { cause: error });
    expect(performance.now() - start).toBeLessThan(PROMISED_MS);
    expect([error.kind.slug, error.headers]).toEqual(['unavailable', { 'retry-after': '2' }]);
    expect(error.cause).toBeInstanceOf(Error);
  }

  test('that the server closed while they were idle are noticed by nobody', async () => {
    directory = await open();
    await Promise.all(Array.from({ length: 30 }, () => directory.findById('x')));
    await execute(admin, TERMINATE);
    await sleep(200);
    expect(await Promise.all(Array.from({ length: 30 }, () => directory.findById('x')))).toHaveLength(30);
  });

  test('that the server closes during a query make it unavailable, and the next one work', async () => {
    directory = await open(url, 1);
    await add('ada@example.com');
    const lock = execute(url, 'BEGIN', 'LOCK TABLE idcard_users', 'SELECT pg_sleep(0.3)');
    await sleep(100);
    const waiting = expectUnavailable(directory.findById('x'));
    await sleep(50);
    await execute(admin, `${TERMINATE} AND wait_event_type = 'Lock'`);
    await waiting;
    await lock;
    expect((await directory.findByEmail('ada@example.com'))?.email).toBe('ada@example.com');
  });

  test('that wait for a lock give up, and what they were to do does not happen later', async () => {
    directory = await open(url, 2);
    const ada = await add('ada@example.com');
    const lock = execute(url, 'BEGIN', 'LOCK TABLE idcard_users', 'SELECT pg_sleep(1.5)');
    await sleep(100);
    await Promise.all([
      expectUnavailable(add('bob@example.com')),
      expectUnavailable(directory.updateAndVoidTokens(ada.id, {})),
      expectUnavailable(directory.findById(ada.id)), // both connections are waiting
    ]);
    await lock;
    expect(await directory.list('', 10)).toEqual([ada]);
    expect((await add('bob@example.com')).email).toBe('bob@example.com');
  });

  test('of which there are too many already, or which a password opens no longer, are unavailable', async () => {
    await (await openDatabase(url)).destroy();
    await execute(
      url,
      "CREATE ROLE clerk LOGIN PASSWORD 'violet otters'",
      'GRANT ALL ON ALL TABLES IN SCHEMA public TO clerk',
    );
    directory = await open(url.replace('postgres:violet', 'clerk:violet'));
    for (const [broken, mended] of [
      ['CONNECTION LIMIT 0', 'CONNECTION LIMIT -1'],
      ["PASSWORD 'another'", "PASSWORD 'violet otters'"],
    ]) {
      await execute(url, `ALTER ROLE clerk ${broken}`, TERMINATE);
      await sleep(100);
      await expectUnavailable(directory.findById('x'));
      await execute(url, `ALTER ROLE clerk ${mended}`);
      expect(await directory.findById('x')).toBeUndefined();
    }
  });

  test('to a server that became a standby are unavailable to writers, and replaced', async () => {
    directory = await open(url, 1);
    const name = new URL(url).pathname.slice(1);
    await execute(url, `ALTER DATABASE ${name} SET default_transaction_read_only = on`, TERMINATE);
    await sleep(100);
    await expectUnavailable(add('ada@example.com'));
    await execute(admin, `ALTER DATABASE ${name} SET default_transaction_read_only = off`);
    expect((await add('ada@example.com')).email).toBe('ada@example.com');
  });
});
