import child_process, { ChildProcess } from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';

/* In `setupFiles` of vitest, for unit tests: these start no process, so that they are quick and need nothing. */

function refuse(): never {
  throw new Error('A test that starts a process belongs into test/system.');
}

// Which `spawn`, `exec`, `execFile`, `fork` and those of node:cluster all call.
Object.defineProperty(ChildProcess.prototype, 'spawn', { value: refuse });
Object.assign(child_process, { spawnSync: refuse, execSync: refuse, execFileSync: refuse });
syncBuiltinESMExports();
