import { fork } from 'node:child_process';
import { once } from 'node:events';
import { atExit } from '../at-exit.ts';

/** A process that sends requests until it is stopped. */
export interface LoadProcess<Report> {
  /** What happened since it was last asked. */
  report(): Promise<Report>;
  stop(): Promise<void>;
}

/** @param script one of this folder, which sends a `Report` for each message that it gets */
export function startLoadProcess<Report>(script: string, options: object): LoadProcess<Report> {
  const child = fork(new URL(script, import.meta.url), [JSON.stringify(options)]);
  const kill = () => child.kill('SIGKILL');
  const forget = atExit(kill);
  const exited = once(child, 'exit').finally(forget);
  return {
    async report() {
      child.send('report');
      const [report] = await Promise.race([
        once(child, 'message'),
        exited.then(() => Promise.reject(new Error(`${script} ended by itself.`))),
      ]);
      return report as Report;
    },
    async stop() {
      kill();
      await exited;
    },
  };
}
