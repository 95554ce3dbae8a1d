import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { StartupError } from '../startup-error.ts';

/**
 * Asks before what cannot be undone, at a terminal: a script is not asked, since it could not answer.
 * @throws StartupError unless the answer is yes
 */
export async function confirm(question: string): Promise<void> {
  if (!process.stdin.isTTY) return;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const closed = once(terminal, 'close').then(() => ''); // by Ctrl-C or Ctrl-D
  const answer = await Promise.race([terminal.question(`${question} [y/N] `).catch(() => ''), closed]);
  terminal.close();
  if (!/^y(?:es)?$/i.test(answer.trim())) throw new StartupError('Nothing was changed.');
}
