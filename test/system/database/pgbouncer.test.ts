import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { StartupError } from '../../../src/base/startup-error.ts';
import { openDatabase } from '../../../src/database/index.ts';
import { createDirectory } from '../../../src/users/directory.ts';
import { startLink } from '../../faults/support/link.ts';
import { ADA, BOB, bearer, createTestApp, logIn, START } from '../../support/app.ts';
import { type PgBouncer, startPgBouncer } from '../../support/pgbouncer.ts';
import {
  createDatabase,
  execute,
  type PostgresServer,
  startPostgres,
  urlOf,
} from '../../support/postgres.ts';
import { run, startServer, temporaryFolder } from '../../support/process.ts';
import { lacks } from '../../support/system.ts';

const PROMISED_MS = 2000;

/* A real PgBouncer in transaction mode: two queries of one connection may run in two sessions of the server. */
describe.skipIf(lacks('pgbouncer'))('behind PgBouncer in transaction mode', () => {
  const folder = temporaryFolder();
  let server: PostgresServer;
  let bouncer: PgBouncer;
  /** Of the same database, past the pooler and through it. */
  let direct: string;
  let pooled: string;
  beforeAll(async () => {
    server = await startPostgres();
    bouncer = await startPgBouncer(server.port, { default_pool_size: '3', server_login_retry: '0.1' });
  });
  afterAll(async () => {
    await bouncer?.remove();
    await server?.remove();
    rmSync(folder, { recursive: true });
  });
  beforeEach(async () => {
    direct = await createDatabase(server.port);
    pooled = urlOf(bouncer.port, new URL(direct).pathname.slice(1));
  });

  const withDirectory = async <T>(action: (directory: ReturnType<typeof createDirectory>) => Promise<T>) => {
    const directory = createDirectory(await openDatabase(pooled), () => START);
    try {
      return await action(directory);
    } finally {
      await directory.close();
    }
  };

  test('ten replicas start at once, and two serve one user: nothing is left locked', async () => {
    const opened = await Promise.all(Array.from({ length: 10 }, () => openDatabase(pooled)));
    await Promise.all(opened.map((db) => db.destroy()));
    expect(await execute(direct, "SELECT * FROM pg_locks WHERE locktype = 'advisory'")).toEqual([]);

    const env = { DATABASE_URL: pooled, RATE_LIMITS: 'off' };
    const here = await createTestApp({ env });
    const there = await createTestApp({ env, jwks: here.jwks });
    const register = { method: 'POST', url: '/v1/register', body: ADA } as const;
    expect((await here.app.inject(register)).statusCode).toBe(201);
    expect((await there.app.inject(register)).statusCode).toBe(409);
    const { access_token, refresh_token } = await logIn(there);
    const refresh = { method: 'POST', url: '/v1/refresh', body: { refresh_token } } as const;
    const many = await Promise.all(Array.from({ length: 50 }, () => here.app.inject(refresh)));
    expect(new Set(many.map(({ statusCode }) => statusCode))).toEqual(new Set([200]));

    const headers = bearer(access_token);
    const out = { method: 'POST', url: '/v1/logout-everywhere', headers } as const;
    expect((await there.app.inject(out)).statusCode).toBe(204);
    await here.app.pollRevocations();
    expect((await here.app.inject({ url: '/v1/verify', headers })).statusCode).toBe(401);
    expect((await here.app.inject(refresh)).statusCode).toBe(401);
    await Promise.all([here.close(), there.close()]);
  });

  test('the program serves, its log says once that a pooler stands before PostgreSQL, and commands work', async () => {
    const env = { DATABASE_URL: pooled, DATA_DIR: folder };
    const idcard = async (...args: string[]) => {
      const { code, stdout, stderr } = await run(args, { env, input: BOB.password });
      expect([code, stderr.split('\n').filter((line) => /cannot|must/.test(line))]).toEqual([0, []]);
      return stdout;
    };
    const running = await startServer(env);
    const body = JSON.stringify(ADA);
    const post = (path: string) =>
      fetch(`${running.url}${path}`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
      });
    expect([(await post('/v1/register')).status, (await post('/v1/login')).status]).toEqual([201, 200]);
    expect(await (await fetch(`${running.url}/readyz`)).json()).toMatchObject({ status: 'ok' });
    expect(running.stdout().match(/"event":"database.pooler"/g)).toHaveLength(1);

    await idcard('users', 'add', BOB.email);
    const exported = join(folder, 'users.ndjson');
    await idcard('users', 'export', '--output', exported);
    await idcard('users', 'import', exported);
    const target = `sqlite:${join(folder, 'target.sqlite')}`;
    expect(await idcard('db', 'move', '--to', target)).toContain('All 2 users are in the target');
    expect(await running.stop()).toBe(0);
  });

  test('a query that waits too long is given up at the server too, and changes nothing later', async () => {
    await withDirectory(async (directory) => {
      const ada = await directory.add({ email: ADA.email, passwordHash: null, roles: [] });
      const lock = execute(direct, 'BEGIN', 'LOCK TABLE idcard_users', 'SELECT pg_sleep(2)');
      await expect
        .poll(() => execute(direct, "SELECT 1 FROM pg_locks WHERE mode = 'AccessExclusiveLock'"))
        .not.toEqual([]);
      const start = performance.now();
      const changed = await directory.updateAndVoidTokens(ada.id, {}).catch((error: unknown) => error);
      expect(performance.now() - start).toBeLessThan(PROMISED_MS);
      expect(changed).toMatchObject({ kind: { slug: 'unavailable' }, headers: { 'retry-after': '2' } });
      await lock;
      expect(await directory.findById(ada.id)).toEqual(ada);
    });
  });

  test('PostgreSQL gives up by itself, where the role says so as the documentation shows', async () => {
    const [, statement = ''] =
      /^ALTER ROLE idcard (SET .*);$/m.exec(readFileSync('docs/operations/database.md', 'utf8')) ?? [];
    await execute(direct, `ALTER ROLE postgres ${statement}`);
    expect(await execute(direct, 'SHOW statement_timeout')).toEqual([{ statement_timeout: '5s' }]);
    await withDirectory((directory) => directory.add({ email: ADA.email, passwordHash: null, roles: [] }));
    await execute(direct, 'ALTER ROLE postgres RESET statement_timeout');
  });

  test('requests are 503 in time while it is paused, halted, exhausted or gone, and are served again after', async () => {
    const env = { DATABASE_URL: pooled, RATE_LIMITS: 'off' };
    const harness = await createTestApp({ env });
    await harness.app.inject({ method: 'POST', url: '/v1/register', body: ADA });
    const { refresh_token } = await logIn(harness);
    const refresh = () => harness.app.inject({ method: 'POST', url: '/v1/refresh', body: { refresh_token } });
    const admin = (command: string) => execute(urlOf(bouncer.port, 'pgbouncer'), command);
    const exhaust = async () => {
      const held = ['BEGIN', 'SELECT pg_sleep(2.5)', 'COMMIT'];
      const holders = Promise.all(Array.from({ length: 3 }, () => execute(pooled, ...held)));
      const sleeping = "SELECT 1 FROM pg_stat_activity WHERE query ~ '^SELECT pg_sleep'";
      await expect.poll(() => execute(direct, sleeping)).toHaveLength(3);
      return () => holders;
    };
    /** Each strikes, and gives what mends it. */
    const faults: Record<string, () => Promise<() => unknown>> = {
      paused: () => admin('PAUSE').then(() => () => admin('RESUME')),
      halted: () => bouncer.kill('SIGSTOP').then(() => () => bouncer.kill('SIGCONT')),
      exhausted: exhaust,
      gone: () => bouncer.kill().then(() => bouncer.start),
      'without its server': () => server.stop().then(() => server.start),
    };
    for (const [name, strike] of Object.entries(faults)) {
      const mend = await strike();
      const start = performance.now();
      const answers = await Promise.all([refresh(), refresh(), refresh()]);
      expect(performance.now() - start, name).toBeLessThan(PROMISED_MS);
      for (const { statusCode, headers } of answers)
        expect([statusCode, headers['retry-after']], name).toEqual([503, '2']);
      await mend();
      await expect.poll(async () => (await refresh()).statusCode, { timeout: 10_000 }).toBe(200);
    }
    await harness.close();
  });

  test('of two, the one whose server is gone is passed over, at a start and by those that are served', async () => {
    const link = await startLink(server.port);
    const first = await startPgBouncer(link.port);
    const both = pooled.replace('@', `@127.0.0.1:${first.port},`);
    const serving = await openDatabase(both);
    await link.close();
    const users = async (db: typeof serving) =>
      db.selectFrom('idcard_users').selectAll().execute().catch(String);
    await expect.poll(() => users(serving), { timeout: 10_000 }).toEqual([]);
    const alone = urlOf(first.port, new URL(direct).pathname.slice(1));
    await expect(execute(alone, 'SELECT 1')).rejects.toMatchObject({ code: '08P01' });
    const started = await openDatabase(both);
    expect(await users(started)).toEqual([]);
    await Promise.all([serving.destroy(), started.destroy()]);
    await first.remove();
  });

  test('a start is refused while the server behind it is away, and while options stand in the URL', async () => {
    const refusal = async (url: string) => {
      const error = await openDatabase(url).then(
        (db) => db.destroy(),
        (reason: unknown) => reason,
      );
      if (!(error instanceof StartupError)) throw new Error('It was opened.', { cause: error });
      expect(error.message).not.toContain('otters');
      return error.message;
    };
    expect(await refusal(`${pooled}?options=-c%20search_path%3Dlogin`)).toMatch(
      /takes no options, as poolers do: remove them from DATABASE_URL, and set them with ALTER ROLE postgres SET …\.$/,
    );
    await server.stop();
    try {
      expect(await refusal(`${pooled}?connect_timeout=1`)).toMatch(
        /^The PostgreSQL server 127\.0\.0\.1:\d+ cannot be /,
      );
    } finally {
      await server.start();
    }
  });
});
