import { readdirSync, readFileSync } from 'node:fs';
import { workersOf } from '../../test/support/workers.ts';
import { readUsage } from '../server-process.ts';

export interface ProcessSight {
  name: string;
  pid: number;
  rssMib: number;
  /** What is left when garbage is collected, where it was. */
  liveMib?: number;
  /** Its share of the memory that it has in common with others. */
  pssMib: number;
  descriptors: number;
  threads: number;
  cpuSeconds: number;
}

const MEBIBYTE = 1024 ** 2;

/** The primary and its workers, as they are now. @returns looks at them; throws when one has ended since */
export function observeProcesses(primary: number): () => ProcessSight[] {
  const workers = workersOf(primary);
  const names = new Map([
    [primary, 'primary'],
    ...workers.map((pid, index) => [pid, `worker ${index + 1}`] as const),
  ]);
  return () => [...names].map(([pid, name]) => ({ name, pid, ...lookAt(pid) }));
}

/** proc(5) */
function lookAt(pid: number): Omit<ProcessSight, 'name' | 'pid'> {
  const { rssBytes, cpuSeconds } = readUsage(pid);
  const number = (file: string, name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/${file}`, 'latin1'))?.[1]);
  return {
    rssMib: rssBytes / MEBIBYTE,
    pssMib: number('smaps_rollup', 'Pss') / 1024,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    threads: number('status', 'Threads'),
    cpuSeconds,
  };
}

/** How many connections to a port of this machine are open, whoever has them: proc_net(5). */
export function connectionsTo(port: number): number {
  const remote = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const ESTABLISHED = '01';
  return readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , to, state]) => to?.endsWith(remote) && state === ESTABLISHED).length;
}
