import { rmSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { buildApp } from '../../src/app.ts';
import { readConfig } from '../../src/config/config.ts';
import { createTestApp } from '.././support/app.ts';
import { newDatabase } from '.././support/postgres.ts';
import { temporaryFolder } from '.././support/process.ts';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('GET /readyz of a stop answers 503 and says so, and the log has nothing to tell of it', async () => {
  const idcard = await createTestApp();
  await idcard.app.ready();
  idcard.app.beginStop('SIGTERM');
  for (const method of ['GET', 'HEAD'] as const) {
    const response = await idcard.app.inject({ method, url: '/readyz' });
    expect([response.statusCode, response.headers['retry-after'], response.headers.connection]).toEqual([
      503,
      '1',
      'close',
    ]);
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    if (method === 'GET') expect(response.json()).toMatchObject({ detail: 'This replica is stopping.' });
  }
  expect(idcard.log().filter(({ level }) => Number(level) >= 40)).toEqual([]);
  await idcard.close();
});

test.each(['SQLite', 'PostgreSQL'])(
  'a poll that a stop cuts off on %s is no fault either',
  async (database) => {
    const lines: object[] = [];
    const log = (fields: object) => void lines.push(fields);
    const logger = {
      info() {},
      debug() {},
      trace() {},
      warn: log,
      error: log,
      fatal: log,
      child: () => logger,
    };
    const DATABASE_URL = database === 'SQLite' ? `sqlite:${folder}/idcard.sqlite` : await newDatabase();
    const app = await buildApp(
      readConfig({ DATA_DIR: folder, KEY_SET_FILE: `${folder}/${database}.json`, DATABASE_URL }),
      {
        logger: logger as never,
      },
    );
    await app.ready();
    expect((await app.inject('/readyz')).statusCode).toBe(200);
    const closing = app.close();
    const polls = Promise.all([app.pollRevocations(), app.pollRevocations()]);
    await closing;
    await polls;
    await app.pollRevocations(); // after its end
    expect(lines).toEqual([]);
  },
);
