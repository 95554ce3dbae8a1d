import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryFolder } from './process.ts';
import { findProgram } from './system.ts';

export interface Nginx {
  /** What it wrote to its error log so far. */
  errors: () => string;
  stop(): Promise<void>;
}

/**
 * Starts a real nginx in the foreground and waits until it accepts connections.
 * @param http what stands in its `http { … }` block, servers and upstreams
 * @param port one that it listens on, on 127.0.0.1
 */
export async function startNginx(http: string, port: number): Promise<Nginx> {
  const folder = temporaryFolder();
  const file = join(folder, 'nginx.conf');
  const bodies = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  writeFileSync(
    file,
    [
      'daemon off; master_process off; error_log stderr warn;',
      `pid ${folder}/nginx.pid;`,
      'events { worker_connections 4096; }',
      'http {',
      'access_log off;',
      ...bodies.map((name) => `${name}_temp_path ${folder}/${name};`),
      http,
      '}',
    ].join('\n'),
  );
  const nginx = spawn(findProgram('nginx') ?? 'nginx', ['-p', folder, '-c', file, '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  nginx.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const ended = once(nginx, 'close');
  await untilAccepting(port, nginx, () => errors);
  return {
    errors: () => errors,
    async stop() {
      nginx.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function untilAccepting(port: number, server: ChildProcess, errors: () => string): Promise<void> {
  while (server.exitCode === null) {
    const socket = connect(port, '127.0.0.1');
    const isAccepted = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isAccepted) return;
    await sleep(20);
  }
  throw new Error(`nginx ended: ${errors()}`);
}
