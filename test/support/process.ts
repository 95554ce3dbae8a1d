import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { compiled } from './compiled.ts';

/** The command, compiled. */
export function bin(): string {
  return join(compiled(), 'bin/idcard.js');
}

export interface Finished {
  /** Null when a signal ended it. */
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  env?: Record<string, string>;
  /** What stands on its standard input, which is a pipe and no terminal. */
  input?: string | Uint8Array;
  /** The folder in which it runs, if it matters. */
  cwd?: string;
}

/** Runs `idcard <args>` to its end, as a process of its own that inherits no setting. */
export async function run(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return launch(args, options).finished;
}

/** Runs a script of Node.js to its end, as a process of its own that inherits no setting. */
export async function runNode(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return launchNode(args, options).finished;
}

export interface Launched {
  pid: number;
  finished: Promise<Finished>;
  kill(): void;
}

/** Starts `idcard <args>`, as `run` does, to be killed on its way. */
export function launch(args: readonly string[], options: RunOptions = {}): Launched {
  return launchNode([bin(), ...args], options);
}

function launchNode(args: readonly string[], { env = {}, input = '', cwd = '.' }: RunOptions): Launched {
  const child = spawn(process.execPath, args, { env: ownEnvironment(env), cwd });
  child.stdin.on('error', () => undefined); // it may end without reading
  child.stdin.end(input);
  const finished = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]).then(
    ([stdout, stderr, [code]]): Finished => ({ code, stdout, stderr }),
  );
  return { pid: child.pid ?? 0, finished, kill: () => child.kill('SIGKILL') };
}

export interface ServerProcess {
  url: string;
  pid: number;
  /** Its data folder, which `stop` removes unless `DATA_DIR` was given. */
  dataDir: string;
  /** Everything on standard output so far: the log, one JSON object a line. */
  stdout: () => string;
  stderr: () => string;
  /** Sends a signal, SIGTERM unless another is given, and waits for the end; null when the signal itself ended it. */
  stop: (signal?: NodeJS.Signals) => Promise<number | null>;
}

/**
 * Starts `idcard serve` on a free port of the loopback interface and waits until it answers.
 * Throws with its standard error when it ends instead.
 */
export async function startServer(env: Record<string, string> = {}, cwd = '.'): Promise<ServerProcess> {
  const port = env.PORT ?? String(await findFreePort());
  const url = env.PUBLIC_URL ?? `http://127.0.0.1:${port}`;
  const dataDir = env.DATA_DIR ?? temporaryFolder();
  const settings = { HOST: '127.0.0.1', SHUTDOWN_DELAY_SECONDS: '0', ...env };
  const child = spawn(process.execPath, [bin(), 'serve'], {
    env: ownEnvironment({ ...settings, PORT: port, PUBLIC_URL: url, DATA_DIR: dataDir }),
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close').then(([code]): number | null => code);
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const forget = () => {
    if (env.DATA_DIR === undefined) rmSync(dataDir, { recursive: true, force: true });
  };

  const listening = `http://127.0.0.1:${port}`;
  const hasEnded = await Promise.race([ended.then(() => true), answers(listening, child).then(() => false)]);
  if (hasEnded || child.pid === undefined) {
    forget();
    throw new Error(`idcard serve ended with ${await ended}: ${stderr()}`);
  }
  return {
    url,
    pid: child.pid,
    dataDir,
    stdout,
    stderr,
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      const code = await ended;
      forget();
      return code;
    },
  };
}

/** A new empty folder. */
export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'idcard-test-'));
}

let lastPort = randomInt(11_000, 30_000);

/**
 * A port that nobody listens on, until the caller does: below those that a system gives to outgoing connections (32768 in
 * Linux), of which one could take it meanwhile. No two of a process are the same.
 */
export async function findFreePort(): Promise<number> {
  const port = ++lastPort;
  const server = createServer().listen(port);
  try {
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    return findFreePort();
  }
  server.close();
  await once(server, 'close');
  return port;
}

function ownEnvironment(env: Record<string, string>): Record<string, string> {
  return { PATH: process.env.PATH ?? '', TMPDIR: tmpdir(), ...env };
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let collected = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    collected += chunk;
  });
  return () => collected;
}

async function answers(url: string, child: ChildProcess): Promise<void> {
  while (child.exitCode === null && child.signalCode === null) {
    try {
      await fetch(`${url}/livez`);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
