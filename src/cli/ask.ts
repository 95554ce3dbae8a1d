import { read } from 'read';
import { StartupError } from '../startup-error.ts';

/**
 * Asks before what cannot be undone, at a terminal: a script is not asked, since it could not answer.
 * @throws StartupError unless the answer is yes
 */
export async function confirm(question: string): Promise<void> {
  if (!process.stdin.isTTY) return;
  const prompt = `${question} [y/N] `;
  const answer = await read({ prompt, output: process.stderr }).catch(() => ''); // Ctrl-C
  if (!/^y(?:es)?$/i.test(answer.trim())) throw new StartupError('Nothing was changed.');
}
