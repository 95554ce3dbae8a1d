import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { migrations } from '../../../src/database/migrations/index.ts';
import { FORMER } from '../../support/former-tables.ts';
import { execute, newDatabase } from '../../support/postgres.ts';
import { temporaryFolder } from '../../support/process.ts';

const MIGRATIONS = Object.keys(migrations).length;

/** Opens the database of each line that it reads, and tells how that went. */
const OPENER = `
  import { createInterface } from 'node:readline';
  const { openDatabase } = await import(process.argv[1]);
  console.log('ready');
  for await (const url of createInterface({ input: process.stdin })) {
    try {
      const db = await openDatabase(url);
      await db.selectFrom('idcard_users').selectAll().execute();
      await db.destroy();
      console.log('opened');
    } catch (error) {
      console.log(error.message + ' ' + error.cause);
    }
  }
`;

const folder = temporaryFolder();
let openers: Opener[];
beforeAll(async () => {
  openers = Array.from({ length: 4 }, startOpener);
  for (const { nextLine } of openers) expect(await nextLine()).toBe('ready');
});
afterAll(async () => {
  for (const { child } of openers) {
    child.stdin.end();
    await once(child, 'close');
  }
  rmSync(folder, { recursive: true });
});

test('four processes that open one new file at the same moment all succeed, and migrate it once', async () => {
  for (let round = 0; round < 25; round++) {
    const path = join(folder, String(round), 'users.sqlite');
    expect(await openAtOnce(`sqlite:${path}`)).toEqual(['opened', 'opened', 'opened', 'opened']);
    const database = new DatabaseSync(path);
    expect(database.prepare('SELECT count(*) AS migrations FROM idcard_migrations').get()).toEqual({
      migrations: MIGRATIONS,
    });
    database.close();
  }
});

test('four processes that open one new PostgreSQL database at the same moment all succeed, and migrate it once', async () => {
  for (let round = 0; round < 10; round++) {
    const url = await newDatabase();
    expect(await openAtOnce(url)).toEqual(['opened', 'opened', 'opened', 'opened']);
    expect(await execute(url, 'SELECT name FROM idcard_migrations')).toHaveLength(MIGRATIONS);
  }
});

test('four processes that open the tables of the version before at the same moment all succeed, and rename them once', async () => {
  for (let round = 0; round < 5; round++) {
    const path = join(folder, `former-${round}.sqlite`);
    const database = new DatabaseSync(path);
    database.exec(`PRAGMA journal_mode=WAL; ${FORMER.join(';')}`);
    database.close();
    const url = await newDatabase();
    await execute(url, ...FORMER);
    for (const either of [`sqlite:${path}`, url])
      expect(await openAtOnce(either)).toEqual(['opened', 'opened', 'opened', 'opened']);
    expect(await execute(url, 'SELECT name FROM idcard_migrations')).toHaveLength(MIGRATIONS + 1);
    expect(await execute(url, 'SELECT count(*) FROM idcard_users')).toEqual([{ count: '3' }]);
  }
});

async function openAtOnce(url: string): Promise<string[]> {
  for (const { child } of openers) child.stdin.write(`${url}\n`);
  return Promise.all(openers.map(({ nextLine }) => nextLine()));
}

interface Opener {
  child: ChildProcessWithoutNullStreams;
  nextLine: () => Promise<string>;
}

function startOpener(): Opener {
  const module = new URL('../../../src/database/index.ts', import.meta.url).href;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', OPENER, module], { stdio: 'pipe' });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { child, nextLine: async () => (await lines.next()).value ?? 'ended' };
}
