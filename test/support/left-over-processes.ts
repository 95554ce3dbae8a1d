import type { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { afterAll } from 'vitest';

/* In `setupFiles` of vitest: a test that fails before it has ended what it started leaves no process behind. */

const children = new Set<ChildProcess>();

subscribe('child_process', (message) => {
  const { process: child } = message as { process: ChildProcess };
  children.add(child);
  child.once('exit', () => children.delete(child));
});

afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
});
