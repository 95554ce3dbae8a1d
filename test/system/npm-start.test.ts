import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, expect, test } from 'vitest';
import { bin, findFreePort, temporaryFolder } from '../support/process.ts';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Where the Node.js of the project is found, as npm puts it into the way of what it runs. */
const PATH = `${dirname(process.execPath)}:${process.env.PATH}`;

/** Starts a server by a command, in a process group of its own, and waits until it serves. */
async function start(command: string, args: readonly string[], env: Record<string, string> = {}) {
  const port = await findFreePort();
  const settings = { PORT: String(port), DATA_DIR: join(folder, String(port)), SHUTDOWN_DELAY_SECONDS: '0' };
  const child = spawn(command, args, {
    env: { PATH, HOME: folder, ...settings, ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const pid = child.pid ?? 0;
  const ended = once(child, 'exit').then(([code, signal]) => code ?? signal);
  const log = text(child.stdout);
  await new Promise<void>((resolve) => {
    child.stderr.on('data', (chunk) => String(chunk).includes('idcard serves on') && resolve());
  });
  return { pid, port, ended, stops: async () => (await log).match(/server\.stopping","signal":"\w+/g) };
}

async function expectFree(port: number): Promise<void> {
  const server = createServer().listen(port, 'localhost');
  await once(server, 'listening');
  server.close();
}

test.each([
  ['npm is sent SIGTERM', 'SIGTERM', false, '1'],
  ['npm is sent SIGTERM, with several workers', 'SIGTERM', false, '2'],
  ['a service manager sends SIGTERM to every process', 'SIGTERM', true, '1'],
  ['Ctrl-C sends SIGINT to every process', 'SIGINT', true, '1'],
] as const)('npm start stops once and with exit code 0 when %s', async (_, signal, isGroup, WORKERS) => {
  const { pid, port, ended, stops } = await start('npm', ['start'], { WORKERS });
  process.kill(isGroup ? -pid : pid, signal);
  expect(await ended).toBe(0);
  expect(await stops()).toEqual(Array(Number(WORKERS)).fill(`server.stopping","signal":"${signal}`));
  await expectFree(port);
});

test('a server that npx runs in a shell stops when the shell has ended, though it heard no signal', async () => {
  const script = `"${process.execPath}" "${bin()}" serve; true`;
  const { pid, port, ended, stops } = await start('sh', ['-c', script], { npm_execpath: '/usr/bin/npm' });
  process.kill(pid, 'SIGKILL');
  expect(await ended).toBe('SIGKILL');
  expect(await stops()).toEqual(['server.stopping","signal":"SIGTERM']); // when it has closed its log
  await expectFree(port);
});

test('so does one that is still at its start, waiting for a database that does not answer', async () => {
  const mute = createServer().listen(0, '127.0.0.1');
  await once(mute, 'listening');
  const { port } = mute.address() as AddressInfo;
  const child = spawn('sh', ['-c', `"${process.execPath}" "${bin()}" serve; true`], {
    env: {
      PATH,
      npm_execpath: '/usr/bin/npm',
      DATA_DIR: join(folder, 'mute'),
      DATABASE_URL: `postgres://u:p@127.0.0.1:${port}/d`,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const said = text(child.stderr); // until the server has ended
  await once(mute, 'connection');
  child.kill('SIGKILL');
  expect(await said).toBe(''); // and not that the database cannot be reached
  mute.close();
});

test('the command is one that any env can run, and its process bounds the young generation by itself', async () => {
  expect(readFileSync(bin(), 'utf8').split('\n')[0]).toBe('#!/usr/bin/env node');
  const { pid, ended } = await start(process.execPath, [bin(), 'serve']);
  expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')).toContain('--max-semi-space-size=4');
  process.kill(pid, 'SIGTERM');
  expect(await ended).toBe(0);
});
