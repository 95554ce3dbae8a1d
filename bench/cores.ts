import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** The server has a core of its own, so that its clients take nothing away from it. */
export const SERVER_CORE = 0;
export const LOAD_CORE = 1;

/** Whether servers and load run on a core each. */
export const canPin = availableParallelism() > 1 && isInstalled('taskset');

/** The command that runs another one on a core; the command itself where that cannot be. */
export function onCore(core: number, command: readonly string[]): [string, ...string[]] {
  const [file = '', ...rest] = command;
  return canPin ? ['taskset', '--cpu-list', String(core), file, ...rest] : [file, ...rest];
}

export function isInstalled(command: string): boolean {
  try {
    execFileSync('which', [command], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
