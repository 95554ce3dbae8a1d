import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { compileInto } from '../test/support/compiled.ts';
import { findFreePort } from '../test/support/process.ts';
import { atExit } from './at-exit.ts';
import { onCore } from './cores.ts';
import { SERVE } from './serve-command.ts';
import { readUsage, type ServerProcess } from './server-process.ts';
import { temporaryPath } from './temporary.ts';

/** A process that is what users run, and tells nobody anything. */
export interface ShippedServer extends Pick<ServerProcess, 'address' | 'pid' | 'usage' | 'stop'> {
  /** From its start to its first answer. */
  startMs: number;
}

/** Where idcard runs from its sources. */
export const CHECKOUT = fileURLToPath(new URL('..', import.meta.url));

let compiled: string | undefined;

/** A folder in which idcard is as in its image: compiled, and without its sources. */
export function compileIdcard(): string {
  if (compiled !== undefined) return compiled;
  const folder = temporaryPath();
  compileInto(folder);
  symlinkSync(join(CHECKOUT, 'node_modules'), join(folder, 'node_modules'));
  compiled = folder;
  return folder;
}

/** `idcard serve`, compiled and in production. @param core the only one that it may use; all of them when absent */
export function startIdcard(env: NodeJS.ProcessEnv = {}, core?: number): Promise<ShippedServer> {
  return startAsShipped(SERVE, { folder: compileIdcard(), env, core });
}

interface StartOptions {
  folder: string;
  env?: NodeJS.ProcessEnv;
  core?: number | undefined;
}

/** Runs a script that takes `PORT`, until `GET /livez` is answered. */
export async function startAsShipped(
  command: readonly string[],
  { folder, env = {}, core }: StartOptions,
): Promise<ShippedServer> {
  const port = await findFreePort();
  const address = `http://127.0.0.1:${port}`;
  const node = [process.execPath, ...command] as const;
  const [file, ...parameters] = core === undefined ? node : onCore(core, node);
  const startedAt = performance.now();
  const child = spawn(file, parameters, {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      REGISTRATION: 'open',
      HOST: '127.0.0.1',
      PORT: String(port),
      PUBLIC_URL: address,
      DATA_DIR: temporaryPath(),
      ...env,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    complaint += text;
  });
  const forget = atExit(() => child.kill('SIGKILL'));
  const exited = once(child, 'exit').finally(forget);
  const { pid } = child;
  if (pid === undefined) throw new Error(`${command.join(' ')} did not start.`);
  await Promise.race([
    untilAnswered(`${address}/livez`),
    exited.then(() => Promise.reject(new Error(`${command.join(' ')} ended by itself: ${complaint}`))),
  ]);
  return {
    address,
    pid,
    startMs: performance.now() - startedAt,
    usage: () => readUsage(pid),
    async stop() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function untilAnswered(url: string): Promise<void> {
  while (!(await fetch(url).catch(() => undefined))) await sleep(5);
}
