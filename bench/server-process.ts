import { fork, type Serializable } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { atExit } from './at-exit.ts';
import { onCore, SERVER_CORE } from './cores.ts';
import { NODE_FLAGS } from './serve-command.ts';
import type { Credential } from './servers/peer.ts';

/** A server under measurement, in a process of its own. */
export interface ServerProcess {
  /** As it told: `http://127.0.0.1:3990`. */
  address: string;
  pid: number;
  /** What its clients are to send, if it told: the headers of each. */
  credentials: readonly Credential[];
  usage(): Usage;
  send(message: Serializable): void;
  /** The next message that it sends. */
  nextMessage(): Promise<unknown>;
  stop(): Promise<void>;
}

export interface Usage {
  /** User and system time of all its threads, by the operating system's count. */
  cpuSeconds: number;
  rssBytes: number;
}

interface Told {
  address: string;
  credentials?: readonly Credential[];
}

/** Linux tells times in ticks of a hundredth of a second to every program (USER_HZ). */
const TICKS_PER_SECOND = 100;

/**
 * Starts a script of `bench/servers`, and waits until it tells its address: `process.send({ address, credentials })`.
 * @param script as it is named there: `idcard.ts`
 */
export async function startServer(
  script: string,
  env: NodeJS.ProcessEnv = {},
  { onOneCore = true } = {},
): Promise<ServerProcess> {
  const path = new URL(`servers/${script}`, import.meta.url);
  const flags = script === 'idcard.ts' ? NODE_FLAGS : [];
  const node = [process.execPath, ...flags] as const;
  const [execPath, ...execArgv] = onOneCore ? onCore(SERVER_CORE, node) : node;
  const child = fork(path, {
    execPath,
    execArgv,
    env: { ...process.env, NODE_ENV: 'production', ...env },
  });
  const kill = () => child.kill('SIGKILL');
  const forget = atExit(kill);
  const exited = once(child, 'exit').then(([code, signal]) => {
    forget();
    return `${script} ended by itself (${code ?? signal}).`;
  });
  const nextMessage = () =>
    Promise.race([
      once(child, 'message').then(([message]) => message as unknown),
      exited.then((sentence) => Promise.reject(new Error(sentence))),
    ]);
  const { address, credentials = [] } = (await nextMessage()) as Told;
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${script} did not start.`);

  return {
    address,
    pid,
    credentials,
    usage: () => readUsage(pid),
    send: (message) => child.send(message),
    nextMessage,
    async stop() {
      kill();
      await exited;
    },
  };
}

/** proc(5) */
export function readUsage(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The second field, the command in parentheses, may hold blanks.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [utime = 0, stime = 0] = fields.slice(11, 13).map(Number);
  const rssKib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  return { cpuSeconds: (utime + stime) / TICKS_PER_SECOND, rssBytes: Number(rssKib) * 1024 };
}
