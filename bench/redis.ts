import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atExit } from './at-exit.ts';
import { isInstalled, LOAD_CORE, onCore } from './cores.ts';

export interface Redis {
  url: string;
  stop(): Promise<void>;
}

/** A Redis of one's own: on a free port of this machine alone, keeping nothing on disk. */
export async function startRedis(): Promise<Redis | undefined> {
  if (!isInstalled('redis-server')) return undefined;
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'idcard-bench-redis-'));
  const [command, ...parameters] = onCore(LOAD_CORE, [
    'redis-server',
    '--bind',
    '127.0.0.1',
    '--port',
    String(port),
    '--dir',
    folder,
    '--save',
    '',
    '--appendonly',
    'no',
  ]);
  const server = spawn(command, parameters, { stdio: ['ignore', 'pipe', 'inherit'] });
  const kill = () => {
    server.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  const forget = atExit(kill);
  const exited = once(server, 'exit');
  await untilReady(server.stdout);
  return {
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      forget();
      kill();
      await exited;
    },
  };
}

function untilReady(log: NodeJS.ReadableStream): Promise<void> {
  return new Promise((resolve) => {
    log.on('data', (lines) => {
      if (String(lines).includes('Ready to accept connections')) resolve();
    });
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
