import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * The `globalSetup` of vitest for tests that start processes: a folder for all that is temporary in this run. A process that
 * the run leaves behind is known by it, whoever started it; it is killed, and fails the run. One that is interrupted kills them as well.
 */
export function setup(): () => Promise<void> {
  const before = process.env.TMPDIR;
  const folder = mkdtempSync(join(tmpdir(), 'idcard-run-'));
  chmodSync(folder, 0o711); // of what is inside, some is for servers that run as nobody
  process.env.TMPDIR = folder;

  function killLeftOver(): string[] {
    const left = processesOf(folder);
    for (const { pid } of left) kill(pid);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 }); // they end a moment later
    return left.map(({ command }) => command);
  }
  process.once('exit', killLeftOver);

  return async () => {
    process.off('exit', killLeftOver);
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    for (let attemptsLeft = 20; attemptsLeft > 0 && processesOf(folder).length > 0; attemptsLeft--)
      await sleep(100); // those that were told to end a moment ago
    const left = killLeftOver();
    if (left.length > 0) throw new Error(`Tests have left processes behind:\n${left.join('\n')}`);
  };
}

/** Those with the folder in their command or in their environment, but for the workers of vitest. Linux alone tells. */
function processesOf(folder: string): { pid: number; command: string }[] {
  return pids().flatMap((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      const parent = Number(/\nPPid:\t(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
      const isOfRun =
        command.includes(folder) || readFileSync(`/proc/${pid}/environ`, 'utf8').includes(folder);
      return isOfRun && parent !== process.pid ? [{ pid, command }] : [];
    } catch {
      return []; // it has ended meanwhile, or is somebody else's
    }
  });
}

function pids(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
