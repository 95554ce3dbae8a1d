import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PASSWORD } from './postgres.ts';
import { findFreePort, temporaryFolder } from './process.ts';
import { findProgram } from './system.ts';

/** PgBouncer refuses to run as root. */
const NOBODY = 65_534;
const identity = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

export interface PgBouncer {
  port: number;
  log(): string;
  /** Ends it, or only halts it by SIGSTOP, which SIGCONT undoes. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** On the same port. */
  start(): Promise<void>;
  /** Ends it and removes its files. */
  remove(): Promise<void>;
}

/** Starts a real PgBouncer before a server, in transaction mode and else as it is by default. */
export async function startPgBouncer(
  postgresPort: number,
  settings: Record<string, string> = {},
): Promise<PgBouncer> {
  const folder = temporaryFolder();
  const port = await findFreePort();
  if (identity.uid !== undefined) chownSync(folder, identity.uid, identity.gid);
  const all = {
    listen_addr: '127.0.0.1',
    listen_port: String(port),
    unix_socket_dir: '',
    pool_mode: 'transaction',
    auth_type: 'scram-sha-256',
    auth_file: join(folder, 'users.txt'),
    admin_users: 'postgres',
    ...settings,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}\n`);
  const databases = `[databases]\n* = host=127.0.0.1 port=${postgresPort}\n`;
  writeFileSync(join(folder, 'pgbouncer.ini'), `${databases}[pgbouncer]\n${lines.join('')}`);
  writeFileSync(join(folder, 'users.txt'), `"postgres" "${PASSWORD}"\n`);

  let bouncer: ChildProcess;
  let ended: Promise<unknown>;
  let log = '';

  async function start(): Promise<void> {
    const child = spawn(findProgram('pgbouncer') ?? 'pgbouncer', [join(folder, 'pgbouncer.ini')], {
      ...identity,
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    bouncer = child;
    ended = once(child, 'close');
    let said = '';
    await new Promise<void>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', () => reject(new Error(`pgbouncer ended: ${said}`)));
      child.stderr.setEncoding('utf8').on('data', (lines: string) => {
        log += lines;
        said += lines;
        if (said.includes('process up')) resolve();
      });
    });
  }

  async function kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    bouncer.kill(signal);
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') await ended;
  }

  await start();
  return {
    port,
    log: () => log,
    kill,
    start,
    async remove() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
