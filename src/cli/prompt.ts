import { createInterface, type Key } from 'node:readline';
import { Writable } from 'node:stream';
import { StartupError } from '../base/startup-error.ts';
import { Interrupted } from './interrupted.ts';

const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });

const LOST_KEY =
  'A key came with Alt (or Option), which the terminal does not take for a letter: nothing was changed.';

/**
 * Asks at the terminal, one question after the other, on standard error; what is typed is not shown.
 * @throws Interrupted, and StartupError when the input ends before all are answered, or a letter in it would be lost
 */
export async function askSilently(questions: readonly string[]): Promise<string[]> {
  // One for all, so that no line of several that are pasted is lost; and no history, which an arrow key would bring back.
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true, historySize: 0 });
  const answers: string[] = [];
  let hasLostKey = false;
  const noticeLostKey = (_text: string | undefined, { meta, name, sequence = '' }: Key) => {
    if (meta && name !== 'backspace' && [...sequence].length === 2) hasLostKey = true;
  };
  process.stdin.on('keypress', noticeLostKey);
  const ask = () => process.stderr.write(questions[answers.length] ?? '');
  try {
    ask();
    return await new Promise((resolve, reject) => {
      terminal.on('line', (line) => {
        process.stderr.write('\n');
        // Not before: what is typed after it would be shown, and go to the shell.
        if (hasLostKey) reject(new StartupError(LOST_KEY));
        else if (answers.push(line) === questions.length) resolve(answers);
        else ask();
      });
      terminal.on('SIGINT', () => reject(new Interrupted()));
      terminal.on('close', () => reject(new StartupError('Nothing was entered, and nothing was changed.')));
    });
  } catch (error) {
    process.stderr.write('\n');
    throw error;
  } finally {
    process.stdin.off('keypress', noticeLostKey);
    terminal.close(); // the terminal is as it was
  }
}

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
