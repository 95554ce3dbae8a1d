import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { Agent } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { ADA, BOB, bearer } from '../support/app.ts';
import { run, type ServerProcess, startServer, temporaryFolder } from '../support/process.ts';
import { lacks } from '../support/system.ts';
import { ask } from '../support/workers.ts';
import { logIn, memoryOf, printFigures, register, secondsUntil, verify } from './stress-support.ts';

const CONNECTIONS = 1000;
const MOST_MEBIBYTES = 128;

function open({ url }: ServerProcess, sent = ''): Socket {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(sent);
  return socket;
}

function descriptorsOf({ pid }: ServerProcess): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

describe.skipIf(lacks('prlimit'))('a process with 256 file descriptors and 1,000 connections', () => {
  test('serves who is connected, refuses the others, and works as before when they have left', async () => {
    const env = { DATA_DIR: temporaryFolder(), RATE_LIMITS: 'off' };
    const server = await startServer(env);
    expect((await run(['users', 'add', ADA.email], { env, input: ADA.password })).code).toBe(0);
    execFileSync('prlimit', ['--pid', String(server.pid), '--nofile=256']);
    const descriptors = () => descriptorsOf(server);
    const early = new Agent({ keepAlive: true, maxSockets: 1 });
    const { text } = await ask(`${server.url}/v1/login`, { body: ADA, agent: early });
    const headers = bearer(JSON.parse(text).access_token);
    const before = descriptors();

    const crowd = Array.from({ length: CONNECTIONS }, () => open(server));
    await sleep(1000);
    expect(descriptors()).toBeGreaterThan(250);
    const verified = await ask(`${server.url}/v1/verify`, { headers, agent: early });
    const loggedIn = await ask(`${server.url}/v1/login`, { body: ADA, agent: early });
    expect([verified.status, loggedIn.status]).toEqual([200, 200]);
    // The first registration would read the list of common passwords, from a file.
    const refused = await ask(`${server.url}/v1/register`, { body: BOB, agent: early });
    expect(refused.status).toBe(503);

    for (const socket of crowd) socket.destroy();
    const seconds = await secondsUntil(async () => (await fetch(`${server.url}/livez`)).ok, 10);
    printFigures('256 descriptors and 1,000 connections', 3, 1, seconds);
    expect((await ask(`${server.url}/v1/register`, { body: BOB, agent: early })).status).toBe(201);
    expect(await verify(server.url, (await logIn(server.url, BOB.email, BOB.password)).access_token)).toBe(
      200,
    );
    early.destroy();
    await secondsUntil(async () => descriptors() <= before + 20, 30);
    expect(await server.stop()).toBe(0);
    rmSync(env.DATA_DIR, { recursive: true });
  });
});

describe('a thousand clients that are slow', () => {
  test('are closed in time, while honest ones are answered, in bounded memory', async () => {
    const server = await startServer({ RATE_LIMITS: 'off' });
    expect((await register(server.url, ADA.email)).status).toBe(201);
    const { access_token } = await logIn(server.url, ADA.email);
    const idle = memoryOf(server);

    const get = 'GET /livez HTTP/1.1\r\nHost: idcard\r\n';
    const post =
      'POST /v1/login HTTP/1.1\r\nHost: idcard\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n{';
    const starts = ['', `${get}X-Slow: `, post];
    const ended: number[] = [];
    const started = performance.now();
    const sockets = Array.from({ length: CONNECTIONS }, (_, index) => open(server, starts[index % 3]));
    for (const socket of sockets) {
      socket.resume();
      socket.on('close', () => ended.push((performance.now() - started) / 1000));
    }
    const dripping = setInterval(() => {
      for (const [index, socket] of sockets.entries()) if (index % 3 && socket.writable) socket.write('a');
    }, 1000);
    const statuses: number[] = [];
    let peak = 0;
    while (ended.length < CONNECTIONS && performance.now() - started < 60_000) {
      statuses.push(await verify(server.url, access_token));
      peak = Math.max(peak, memoryOf(server));
      await sleep(50);
    }
    clearInterval(dripping);
    await logIn(server.url, ADA.email);
    printFigures(
      '1,000 slow senders',
      statuses.length,
      statuses.filter((status) => status !== 200).length,
      0,
    );
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(ended).toHaveLength(CONNECTIONS);
    expect(Math.min(...ended)).toBeGreaterThan(9); // 10 s for headers, 15 s for all
    expect(Math.max(...ended)).toBeLessThan(40);
    expect(peak - idle).toBeLessThan(MOST_MEBIBYTES);
    expect(await server.stop()).toBe(0);
  });

  test('to read keep few answers in memory, and hold nobody up', async () => {
    const server = await startServer({ RATE_LIMITS: 'off' });
    await (await fetch(`${server.url}/openapi.json`)).text();
    const idle = memoryOf(server);
    const get = 'GET /openapi.json HTTP/1.1\r\nHost: idcard\r\n\r\n';
    // A megabyte for each: more than the kernel takes for a client that does not read.
    const sockets = Array.from({ length: CONNECTIONS }, () => open(server, get.repeat(20)).pause());
    const started = performance.now();
    const statuses: number[] = [];
    let peak = 0;
    while (performance.now() - started < 5000 || statuses.length < 5) {
      statuses.push((await fetch(`${server.url}/livez`)).status);
      peak = Math.max(peak, memoryOf(server));
      await sleep(50);
    }
    printFigures(`1,000 clients that read nothing, ${Math.round(peak - idle)} MiB`, statuses.length, 0, 0);
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(peak - idle).toBeLessThan(MOST_MEBIBYTES);
    for (const socket of sockets) socket.destroy();
    expect(await server.stop()).toBe(0);
  });
});
