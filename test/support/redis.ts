import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { Redis as Client } from 'ioredis';
import { afterAll, beforeAll } from 'vitest';
import { findFreePort, temporaryFolder } from './process.ts';
import { findProgram } from './system.ts';

export interface Redis {
  url: string;
  port: number;
  /** Ends it, or only halts it by SIGSTOP, which SIGCONT undoes. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** On the same port, with nothing in it. */
  start(): Promise<void>;
  /** Ends it and removes its files. */
  remove(): Promise<void>;
}

/** Starts a real Redis of one's own, on a free port of the loopback interface. @param settings such as `--requirepass` */
export async function startRedis(...settings: string[]): Promise<Redis> {
  const folder = temporaryFolder();
  const port = await findFreePort();
  const flags = ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder, '--save', '', ...settings];
  let server: ChildProcess;
  let ended: Promise<unknown>;

  async function start(): Promise<void> {
    const child = spawn(findProgram('redis-server') ?? 'redis-server', flags, {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    server = child;
    ended = once(child, 'close');
    await new Promise<void>((resolve, reject) => {
      let log = '';
      child.on('error', reject);
      child.on('close', () => reject(new Error(`redis-server ended: ${log}`)));
      child.stdout.setEncoding('utf8').on('data', (lines: string) => {
        log += lines;
        if (log.includes('Ready to accept connections')) resolve();
      });
    });
  }

  async function kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    server.kill(signal);
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') await ended;
  }

  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    kill,
    start,
    async remove() {
      server.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A Redis for the tests of a file or group, which ends with them. Its client is there once they run. */
export function useRedis(): () => Client {
  let server: Redis;
  let client: Client;
  beforeAll(async () => {
    server = await startRedis();
    client = new Client(server.url);
  });
  afterAll(async () => {
    client.disconnect();
    await server.remove();
  });
  return () => client;
}

/** As if the seconds had passed: every key comes closer to its end. */
export async function letPass(client: Client, seconds: number): Promise<void> {
  const closer = `
    for _, key in ipairs(redis.call('KEYS', '*')) do
      local left = redis.call('PTTL', key) - ARGV[1]
      if left > 0 then redis.call('PEXPIRE', key, left) else redis.call('DEL', key) end
    end`;
  await client.eval(closer, 0, seconds * 1000);
}
