import { codeOf } from '../base/error-code.ts';
import { StartupError } from '../base/startup-error.ts';
import { readEnvFile } from '../config/env-file.ts';
import { Problem } from '../problems/problem.ts';
import { Interrupted } from './interrupted.ts';

const USAGE_ERROR = 2;
/** The exit code by which a shell tells that SIGINT ended a program. */
const INTERRUPTED = 130;

/** The command line. Exit codes: 0 done, 1 failed, 2 used wrongly, 130 given up by Ctrl-C. */
export async function main(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const [command, ...options] = argv.slice(2);
  try {
    if (!(await isWorker())) for (const sentence of readEnvFile(env)) console.error(`idcard: ${sentence}`);
    // Imported lazily: a server needs no parser of options, and the other commands need no server.
    if (command === 'serve' && options.length === 0) await (await import('../main.ts')).serve(env);
    else await (await import('./program.ts')).runProgram(argv, env);
  } catch (error) {
    process.exitCode = report(error);
    // Parts of a server that failed to start may keep the process alive.
    if (process.exitCode !== 0) process.exit();
  }
}

/**
 * Whether this is a worker, which does not read `.env`: the primary hands its settings on. A worker that replaces another must not
 * serve by a file that was changed since.
 */
async function isWorker(): Promise<boolean> {
  return process.send !== undefined && (await import('node:cluster')).default.isWorker;
}

/** Prints an error: a failure as a sentence, a bug with its stack. Commander itself prints usage errors. @returns the exit code */
function report(error: unknown): number {
  if (error instanceof Error && error.name === 'CommanderError')
    return 'exitCode' in error && error.exitCode === 0 ? 0 : USAGE_ERROR;
  if (error instanceof Interrupted) return INTERRUPTED;
  // Nothing is printed: the reader of the output has ended.
  if (codeOf(error) === 'EPIPE') return 1;
  if (error instanceof StartupError || error instanceof Problem) console.error(`idcard: ${error.message}`);
  else console.error(error);
  return 1;
}
