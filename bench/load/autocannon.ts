import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LOAD_CORE, onCore } from '../cores.ts';
import type { LoadOptions, LoadResult } from '../load.ts';
import { temporaryPath } from '../temporary.ts';

const SCRIPT = fileURLToPath(new URL('autocannon-process.ts', import.meta.url));

/** Where there is no wrk; comes with the development dependencies. */
export function createAutocannonLoad({ address, requests, connections }: LoadOptions) {
  const file = temporaryPath();
  writeFileSync(file, requests.map((request) => JSON.stringify(request)).join('\n'));
  return async (seconds: number, first: number): Promise<LoadResult & { sent: number }> => {
    const [command, ...parameters] = onCore(LOAD_CORE, [
      process.execPath,
      SCRIPT,
      address,
      file,
      String(connections),
      String(seconds),
      String(first),
    ]);
    const { stdout } = await promisify(execFile)(command, parameters);
    return JSON.parse(stdout);
  };
}
