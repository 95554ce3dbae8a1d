import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './process.ts';
import { findProgram } from './system.ts';

/**
 * Starts a real Caddy and waits until it serves.
 * @param caddyfile its sites
 * @param options of all of them
 * @returns what stops it
 */
export async function startCaddy(caddyfile: string, options = ''): Promise<() => Promise<void>> {
  const folder = temporaryFolder();
  const file = join(folder, 'Caddyfile');
  writeFileSync(file, `{\n\tadmin off\n${options}\n}\n${caddyfile}`);
  const caddy = spawn(findProgram('caddy') ?? 'caddy', ['run', '--adapter', 'caddyfile', '--config', file], {
    env: { HOME: folder },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(caddy, 'close');
  await new Promise<void>((resolve, reject) => {
    let log = '';
    caddy.on('error', reject);
    caddy.on('close', () => reject(new Error(`caddy ended: ${log}`)));
    caddy.stderr.setEncoding('utf8').on('data', (lines: string) => {
      log += lines;
      if (log.includes('serving initial configuration')) resolve();
    });
  });
  return async () => {
    caddy.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
}
