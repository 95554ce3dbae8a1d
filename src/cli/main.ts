import { codeOf } from '../base/error-code.ts';
import { StartupError } from '../base/startup-error.ts';
import { readEnvFile } from '../config/env-file.ts';
import { Problem } from '../problems/problem.ts';
import { Interrupted } from './interrupted.ts';

const USAGE_ERROR = 2;
/** As a shell says it of a program that SIGINT has ended. */
const INTERRUPTED = 130;

/** The command line. Exit codes: 0 done, 1 failed, 2 used wrongly, 130 given up by Ctrl-C. */
export async function main(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const [command, ...options] = argv.slice(2);
  try {
    if (!(await isWorker())) for (const sentence of readEnvFile(env)) console.error(`idcard: ${sentence}`);
    // A server does without what reads the options of the other commands, and they do without the server.
    if (command === 'serve' && options.length === 0) await (await import('../main.ts')).serve(env);
    else await (await import('./program.ts')).runProgram(argv, env);
  } catch (error) {
    process.exitCode = report(error);
    // The server never came up, but a half of it may keep the process alive.
    if (process.exitCode !== 0) process.exit();
  }
}

/**
 * One of several processes that serve. The primary has said it, and hands on what it has read: one that is replaced later must not
 * serve by a file that was changed since.
 */
async function isWorker(): Promise<boolean> {
  return process.send !== undefined && (await import('node:cluster')).default.isWorker;
}

/** A usage error is told by commander itself; a failure is one sentence; a bug keeps its stack. */
function report(error: unknown): number {
  if (error instanceof Error && error.name === 'CommanderError')
    return 'exitCode' in error && error.exitCode === 0 ? 0 : USAGE_ERROR;
  if (error instanceof Interrupted) return INTERRUPTED;
  // Who read the output has gone, and knows it.
  if (codeOf(error) === 'EPIPE') return 1;
  if (error instanceof StartupError || error instanceof Problem) console.error(`idcard: ${error.message}`);
  else console.error(error);
  return 1;
}
