import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ADA, bearer } from '../support/app.ts';
import { run, startServer, temporaryFolder } from '../support/process.ts';
import {
  isAcknowledged,
  logIn,
  post,
  printFigures,
  register,
  secondsUntil,
  verify,
} from './stress-support.ts';

/** Only root may mount a disk. On a build machine that cannot, this is a failure. */
const cannotMount = !process.env.CI && process.getuid?.() !== 0;

describe.skipIf(cannotMount)('a disk that is full', () => {
  let disk: string;
  beforeEach(() => {
    disk = temporaryFolder();
  });
  afterEach(() => {
    execFileSync('umount', ['--lazy', disk]);
    rmSync(disk, { recursive: true });
  });

  const mount = (size: string) => execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', disk]);

  /** Takes whatever room is left. */
  function fill(): void {
    try {
      for (let index = 0; ; index++) writeFileSync(join(disk, `fill${index}`), Buffer.alloc(4096));
    } catch (error) {
      if (!String(error).includes('ENOSPC')) throw error;
    }
  }

  function free(): void {
    for (const file of readdirSync(disk)) if (file.startsWith('fill')) rmSync(join(disk, file));
  }

  test('refuses registrations alone, damages nothing, and is noticed to have room again', async () => {
    mount('2m');
    const DATA_DIR = join(disk, 'data');
    // A stronger hash than the stored ones: a login would like to write as well.
    const env = { DATA_DIR, RATE_LIMITS: 'off', PASSWORD_QUEUE_SECONDS: '60', LOG_LEVEL: 'error' };
    let server = await startServer(env);
    expect((await register(server.url, ADA.email)).status).toBe(201);
    await server.stop();
    server = await startServer({ ...env, ARGON2_TIME_COST: '3' });
    const acknowledged = [ADA.email];
    const statuses: number[] = [];
    async function registerMany(prefix: string, count: number): Promise<number[]> {
      const answers = await Promise.all(
        Array.from({ length: count }, async (_, index) => {
          const email = `${prefix}${index}@example.com`;
          const { status, headers } = await register(server.url, email);
          if (isAcknowledged(status)) acknowledged.push(email);
          else expect([status, headers.get('retry-after')]).toEqual([503, '2']);
          return status;
        }),
      );
      statuses.push(...answers);
      return answers;
    }

    expect(new Set(await registerMany('before', 20))).toEqual(new Set([201]));
    fill();
    await registerMany('into', 40); // some find room in pages that are there
    fill();
    for (let round = 0; round < 3; round++) {
      expect(await registerMany(`full${round}-`, 20)).toContain(503);
      const { access_token, refresh_token } = await logIn(server.url, ADA.email);
      expect(await verify(server.url, access_token)).toBe(200);
      expect((await post(`${server.url}/v1/refresh`, { refresh_token })).status).toBe(200);
      const out = await post(`${server.url}/v1/logout-everywhere`, {}, bearer(access_token));
      expect([204, 503]).toContain(out.status);
    }

    free();
    const seconds = await secondsUntil(async () => (await registerMany('probe', 1))[0] !== 503, 5);
    expect(new Set(await registerMany('after', 20))).toEqual(new Set([201]));
    const failures = statuses.filter((status) => status === 503).length;
    printFigures('A disk that is full', statuses.length, failures, seconds);
    for (const email of acknowledged.slice(-10)) await logIn(server.url, email);
    await server.stop('SIGKILL');

    const database = new DatabaseSync(join(DATA_DIR, 'idcard.sqlite'));
    expect(database.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
    const emails = database.prepare('SELECT email FROM idcard_users').all();
    expect(new Set(emails.map(({ email }) => email))).toEqual(new Set(acknowledged));
    expect(emails).toHaveLength(acknowledged.length);
    database.close();
  });

  test('is named by a start that cannot succeed, which leaves nothing behind', async () => {
    mount('64k');
    mkdirSync(join(disk, 'data'));
    const serve = async () => run(['serve'], { env: { DATA_DIR: join(disk, 'data'), PORT: '1' } });
    fill();
    expect((await serve()).stderr).toMatch(
      /^idcard: The database \S+ cannot be opened: its disk is full, [a-z ]+\.\n$/,
    );
    expect(readdirSync(join(disk, 'data'))).toEqual([]);

    for (const pages of [1, 2, 3, 4]) {
      for (let index = 0; index < pages; index++) rmSync(join(disk, `fill${index}`));
      const { code, stdout, stderr } = await serve();
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(
        /^idcard: The database \S+ cannot be (opened|migrated): its disk is full, [a-z ]+\.\n$/,
      );
      rmSync(join(disk, 'data'), { recursive: true });
      mkdirSync(join(disk, 'data'));
      fill();
    }
  });
});
