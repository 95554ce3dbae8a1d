import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { execute, newDatabase } from '../support/postgres.ts';
import { findFreePort, startServer, temporaryFolder } from '../support/process.ts';
import { isAcknowledged, logIn, printFigures, register, secondsUntil } from './stress-support.ts';

const REGISTRATIONS = 200;
/** After how many acknowledgements the process is killed. */
const MOMENTS = [1, 30, 90];

test.each(['SQLite', 'PostgreSQL'])(
  'whoever was told "201" before a kill -9 is there after it, once, and logs in: %s',
  async (kind) => {
    const DATA_DIR = temporaryFolder();
    const url = kind === 'SQLite' ? `sqlite:${join(DATA_DIR, 'idcard.sqlite')}` : await newDatabase();
    const PORT = String(await findFreePort());
    const env = { DATA_DIR, DATABASE_URL: url, PORT, RATE_LIMITS: 'off', PASSWORD_QUEUE_SECONDS: '60' };
    let requests = 0;
    let failures = 0;
    let slowest = 0;
    const acknowledged: string[] = [];
    for (const moment of MOMENTS) {
      const server = await startServer(env);
      let killed: Promise<unknown> | undefined;
      let told = 0;
      const answers = Array.from({ length: REGISTRATIONS }, async (_, index) => {
        const email = `user${index}-${moment}@example.com`;
        const status = await register(server.url, email).then(
          (response) => response.status,
          () => 0, // killed
        );
        if (status !== 0) expect(status).toBe(201);
        if (!isAcknowledged(status)) {
          failures++;
          return;
        }
        acknowledged.push(email);
        if (++told === moment) killed = server.stop('SIGKILL');
      });
      await Promise.all(answers);
      await killed;
      requests += REGISTRATIONS;
      const start = performance.now();
      const again = await startServer(env);
      await secondsUntil(async () => (await logIn(again.url, acknowledged.at(-1) ?? '')) !== undefined, 5);
      slowest = Math.max(slowest, (performance.now() - start) / 1000);
      await again.stop();
    }
    printFigures(`kill -9 during registrations, ${kind}`, requests, failures, slowest);

    const server = await startServer(env);
    await Promise.all(acknowledged.map((email) => logIn(server.url, email)));
    await server.stop();
    const stored = await emailsOf(url);
    expect(stored).toHaveLength(new Set(stored).size);
    expect(acknowledged.filter((email) => !stored.includes(email))).toEqual([]);
    expect(acknowledged.length).toBeGreaterThanOrEqual(MOMENTS.reduce((sum, moment) => sum + moment));
    rmSync(DATA_DIR, { recursive: true });
  },
);

test('one email registered a hundred times at once is one user', async () => {
  const server = await startServer({ RATE_LIMITS: 'off', PASSWORD_QUEUE_SECONDS: '60' });
  const answers = Array.from({ length: 100 }, () => register(server.url, 'ada@example.com'));
  const statuses = (await Promise.all(answers)).map(({ status }) => status);
  expect(statuses.toSorted()).toEqual([201, ...Array(99).fill(409)]);
  expect(await emailsOf(`sqlite:${join(server.dataDir, 'idcard.sqlite')}`)).toEqual(['ada@example.com']);
  await logIn(server.url, 'ada@example.com');
  printFigures('One email registered at once', statuses.length, 0, 0);
  await server.stop();
});

async function emailsOf(url: string): Promise<unknown[]> {
  const query = 'SELECT email FROM idcard_users';
  if (!url.startsWith('sqlite:')) return (await execute(url, query)).map(({ email }) => email);
  const database = new DatabaseSync(url.slice('sqlite:'.length));
  expect(database.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
  const rows = database.prepare(query).all();
  database.close();
  return rows.map(({ email }) => email);
}
