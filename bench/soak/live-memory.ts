import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryPath } from '../temporary.ts';

export interface LiveMemory {
  /** For the environment of the processes that are to be asked. */
  nodeOptions: string;
  /** What a process holds when its garbage is collected. */
  mibOf(pid: number): Promise<number>;
}

const MEBIBYTE = 1024 ** 2;

/** Resident memory tells when garbage was collected last as well, which may be a quarter of an hour ago. */
export function createLiveMemory(): LiveMemory {
  const folder = temporaryPath();
  const script = `
    import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
    import { setFlagsFromString } from 'node:v8';
    import { runInNewContext } from 'node:vm';
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc');
    const file = ${JSON.stringify(`${folder}/`)} + process.pid;
    mkdirSync(${JSON.stringify(folder)}, { recursive: true });
    process.on('SIGUSR2', () => {
      collect();
      const { heapUsed, external } = process.memoryUsage();
      writeFileSync(file + '.new', String(heapUsed + external));
      renameSync(file + '.new', file);
    });`;
  return {
    nodeOptions: `--import=data:text/javascript,${encodeURIComponent(script)}`,
    async mibOf(pid) {
      const file = join(folder, String(pid));
      process.kill(pid, 'SIGUSR2');
      while (!existsSync(file)) await sleep(10);
      const bytes = Number(readFileSync(file, 'utf8'));
      rmSync(file);
      return bytes / MEBIBYTE;
    },
  };
}
