import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openDatabase } from '../../src/database/index.ts';
import { compiled } from '../support/compiled.ts';
import { execute, newDatabase } from '../support/postgres.ts';
import { findFreePort, runNode, temporaryFolder } from '../support/process.ts';
import { startRedis } from '../support/redis.ts';
import { lacks } from '../support/system.ts';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));

async function run(args: string[], env: Record<string, string> = {}, input = ''): Promise<number> {
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  return code;
}

test('the compiled program finds its driver for PostgreSQL', async () => {
  const url = await newDatabase();
  await (await openDatabase(url)).destroy();
  const start = `import(${JSON.stringify(join(compiled(), 'dist/cli/main.js'))}).then((idcard) => idcard.main(process.argv, process.env))`;
  const args = ['--eval', start, '--', 'idcard', 'users', 'add', 'ada@example.com'];
  expect(await run(args, { DATABASE_URL: url, DATA_DIR: folder }, 'violet otters play chess\n')).toBe(0);
  expect(await execute(url, 'SELECT email FROM idcard_users')).toEqual([{ email: 'ada@example.com' }]);
});

test.skipIf(lacks('redis-server'))(
  'the compiled program finds its driver for Redis, which stands apart',
  async () => {
    const redis = await startRedis();
    const program = `
    const idcard = await import(${JSON.stringify(join(compiled(), 'dist/cli/main.js'))});
    await idcard.main(['node', 'idcard', 'serve'], process.env);
    process.kill(process.pid, 'SIGINT');`;
    const PORT = String(await findFreePort());
    const env = { HOST: '127.0.0.1', PORT, DATA_DIR: folder, REDIS_URL: redis.url };
    const served = await runNode(['--input-type=module', '--eval', program], { env });
    await redis.remove();
    expect(served).toMatchObject({ code: 0, stdout: expect.stringContaining('"limits.shared"') });

    const chunks = globSync(join(compiled(), 'dist/**/*.js'));
    const withDriver = chunks.filter((file) => readFileSync(file, 'utf8').includes('StandaloneConnector'));
    expect(withDriver.map((file) => basename(file))).toEqual([expect.stringMatching(/^redis-limits-/)]);
  },
);
