import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../src/database/index.ts';
import { createDirectory } from '../../src/users/directory.ts';
import { ADA } from '../support/app.ts';
import { execute, urlOf } from '../support/postgres.ts';
import { type ServerProcess, startServer, temporaryFolder } from '../support/process.ts';
import { type Standby, startStandby } from '../support/standby.ts';
import {
  findPostgresPrograms,
  type SystemPostgres,
  startSystemPostgres,
} from '../support/system-postgres.ts';
import { ask } from '../support/workers.ts';
import { type Link, startLink } from './support/link.ts';

const PROMISED_MS = 2000;
const PROMISED_RECOVERY_MS = 5000;
/** What a busy machine may add before it counts as a failure. */
const MARGIN_MS = 1000;
/** Until whoever watches over the servers promotes the standby. */
const UNWATCHED_MS = 2000;

const programs = findPostgresPrograms();

describe.skipIf(!process.env.CI && !programs)('two servers, of which the second follows the first', () => {
  let primary: SystemPostgres;
  let standby: Standby;
  /** The way to the first. */
  let link: Link;
  let replica: ServerProcess;
  const dataDir = temporaryFolder();
  let url: string;

  beforeAll(async () => {
    if (!programs) throw new Error('PostgreSQL is not installed.');
    primary = await startSystemPostgres(programs);
    await execute(
      urlOf(primary.port, 'postgres'),
      "CREATE DATABASE idcard ENCODING 'UTF8' TEMPLATE template0",
    );
    standby = await startStandby(programs, primary);
    link = await startLink(primary.port);
    // The standby stands first: each connection has to find the one that takes changes.
    url = urlOf(link.port, 'idcard').replace('@', `@127.0.0.1:${standby.port},`);
    replica = await startServer({ DATABASE_URL: url, DATA_DIR: dataDir, RATE_LIMITS: 'off' });
  });
  afterAll(async () => {
    await replica?.stop('SIGKILL');
    await link?.close();
    standby?.stop();
    rmSync(dataDir, { recursive: true });
  });

  const post = async (path: string, body: object) => {
    const start = performance.now();
    const response = await ask(`${replica.url}${path}`, { body });
    return {
      status: response.status,
      retryAfter: response.headers['retry-after'],
      ms: performance.now() - start,
    };
  };
  const ready = async () => (await fetch(`${replica.url}/readyz`)).status;
  const usersAt = (port: number) =>
    execute(urlOf(port, 'idcard'), 'SELECT email FROM idcard_users ORDER BY email');

  test('serve from the first; when it is gone and the second is promoted, logins go on, and nothing is lost', async () => {
    expect((await post('/v1/register', ADA)).status).toBe(201);
    expect((await post('/v1/login', ADA)).status).toBe(200);
    const before = await usersAt(primary.port);
    await expect.poll(() => usersAt(standby.port)).toEqual(before);

    link.cut(); // no answer and no refusal: connections that hang
    primary.stop();
    const promoted = sleep(UNWATCHED_MS).then(() =>
      execute(urlOf(standby.port, 'postgres'), 'SELECT pg_promote()'),
    );
    const registered = [ADA.email];
    for (let index = 0, isBack = false; !isBack; index++) {
      const email = `user${index}@example.com`;
      const answers = await Promise.all([post('/v1/login', ADA), post('/v1/register', { ...ADA, email })]);
      for (const { status, retryAfter, ms } of answers.filter((answer) => answer.status >= 400)) {
        expect([status, retryAfter]).toEqual([503, '2']);
        expect(ms).toBeLessThan(PROMISED_MS + MARGIN_MS);
      }
      expect(await ready()).toBe(200);
      if (answers[1]?.status === 201) registered.push(email);
      isBack = answers.every(({ status }) => status < 400);
      await sleep(50);
    }
    const lastMs = performance.now();
    await promoted;
    expect(performance.now() - lastMs).toBeLessThan(PROMISED_RECOVERY_MS);
    expect((await usersAt(standby.port)).map(({ email }) => email)).toEqual(registered.toSorted());
    expect(await (await fetch(`${replica.url}/readyz`)).json()).toMatchObject({ status: 'ok' });
  });

  test('of which the first does not answer, serve a start, and each new connection, from the second', async () => {
    const silentFirst = urlOf(link.port, 'idcard').replace('/idcard', `,127.0.0.1:${standby.port}/idcard`);
    const directory = createDirectory(await openDatabase(silentFirst), () => 0);
    const findAtOnce = async () => {
      const found = Array.from({ length: 10 }, () => directory.findByEmail(ADA.email));
      return (await Promise.all(found)).map((user) => user?.email);
    };
    await expect.poll(findAtOnce, { timeout: PROMISED_RECOVERY_MS }).toEqual(Array(10).fill(ADA.email));
    await directory.close();
  });
});
