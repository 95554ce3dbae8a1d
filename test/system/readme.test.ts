import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { findFreePort, type ServerProcess, startServer } from '../support/process.ts';

const readme = readFileSync('README.md', 'utf8');
const accounts = readFileSync('docs/operations/accounts.md', 'utf8');
const blocksOf = (page: string) => [...page.matchAll(/```sh\n(.*?)```/gs)].map(([, script]) => script);
const [, firstToken = '', cookies = ''] = blocksOf(readme);
const [operator = ''] = blocksOf(accounts);

let folder: string;
let server: ServerProcess;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'idcard-readme-'));
  const port = String(await findFreePort());
  server = await startServer({ DATA_DIR: folder, PORT: port, PUBLIC_URL: `http://localhost:${port}` });
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

/** Runs a block as it stands, against a server on another port. */
async function runBlock(script: string): Promise<{ code: number | null; stdout: string }> {
  const here = script.replaceAll('http://localhost:3000', server.url);
  const strict = 'set -e\ncurl() { command curl --fail-with-body -sS "$@"; echo; }\n';
  const child = spawn('bash', ['-c', strict + here], {
    env: { ...process.env, DATA_DIR: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [stdout, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return { code, stdout };
}

describe('the commands of the README, and those for the operator, work, in the order in which they stand', () => {
  test('the first token', async () => {
    const { code, stdout } = await runBlock(firstToken);
    expect(code).toBe(0);
    const [registered, me, refreshed, loggedOut] = stdout.split('\n');
    expect(JSON.parse(registered ?? '')).toMatchObject({ email: 'ada@example.com' });
    expect(JSON.parse(me ?? '')).toMatchObject({ email: 'ada@example.com' });
    expect(JSON.parse(refreshed ?? '')).toMatchObject({ token_type: 'Bearer', expires_in: 300 });
    expect(loggedOut).toBe('');
  });

  test('cookies for a browser', async () => {
    const { code, stdout } = await runBlock(`cd ${folder}\n${cookies}`);
    expect(code).toBe(0);
    expect(stdout).toContain('"email":"ada@example.com"');
  });

  test('the operator', { timeout: 90_000 }, async () => {
    const { code, stdout } = await runBlock(operator);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Added admin@example.com as [0-9a-f-]{36} to sqlite:\/.+\./);
    expect(stdout).toContain('ada@example.com is disabled.');
    const ada = { email: 'ada@example.com', password: 'violet otters play chess' };
    const login = await fetch(`${server.url}/v1/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(ada),
    });
    expect(login.status).toBe(200); // nobody is left behind locked out
    expect(stdout).toMatch(/ES256\taccess\tsigning/);
    expect(stdout).toContain('Restart every replica before that.');
  });
});

describe('what starts a server', () => {
  const guides = ['README.md', 'docs/operations/running.md', 'examples/spa/README.md'];
  const lines = guides.flatMap((guide) =>
    readFileSync(guide, 'utf8').match(/^.*\bnpm (start|run example)$/gm),
  );
  expect(lines).toHaveLength(5);

  test.each(lines)('%s', async (line) => {
    const port = await findFreePort();
    const isExample = line?.endsWith('example');
    const command = `${line?.replace('npm ci && ', '')} ${isExample ? `-- --port ${port}` : ''}`;
    const child = spawn('bash', ['-c', command], {
      env: { ...process.env, DATA_DIR: folder, PORT: String(port) },
      detached: true, // npm has children
      stdio: 'ignore',
    });
    onTestFinished(async () => {
      process.kill(-Number(child.pid), 'SIGKILL');
      await once(child, 'close');
    });
    const page = `http://localhost:${port}/${isExample ? '' : 'livez'}`;
    await vi.waitFor(async () => expect((await fetch(page)).status).toBe(200), { timeout: 20_000 });
    // The server greets with this address, which must not be one more page of the app.
    if (isExample) expect(await (await fetch(`${page}docs`)).text()).not.toContain('main.ts');
  });
});
