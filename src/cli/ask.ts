import { createInterface } from 'node:readline';
import { StartupError } from '../startup-error.ts';
import { Interrupted } from './interrupted.ts';

/**
 * Asks before what cannot be undone, at a terminal: a script is not asked, since it could not answer.
 * @throws Interrupted, and StartupError unless the answer is yes
 */
export async function confirm(question: string): Promise<void> {
  if (!process.stdin.isTTY) return;
  const terminal = createInterface({ input: process.stdin, output: process.stderr, historySize: 0 });
  const answer = await new Promise<string>((resolve, reject) => {
    terminal.on('SIGINT', () => reject(new Interrupted()));
    terminal.on('close', () => resolve('')); // the input has ended
    terminal.question(`${question} [y/N] `, resolve);
  }).finally(() => terminal.close());
  if (!/^y(?:es)?$/i.test(answer.trim())) throw new StartupError('Nothing was changed.');
}
