import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atExit } from './at-exit.ts';

let count = 0;
let folder: string | undefined;

/** A path that nothing has yet, in a folder of this process that goes with it. */
export function temporaryPath(suffix = ''): string {
  if (folder === undefined) {
    const created = mkdtempSync(join(tmpdir(), 'idcard-bench-'));
    atExit(() => rmSync(created, { recursive: true, force: true }));
    folder = created;
  }
  return join(folder, `${count++}${suffix}`);
}
