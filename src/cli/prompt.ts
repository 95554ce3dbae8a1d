import { createInterface, type Key } from 'node:readline';
import { Writable } from 'node:stream';
import { StartupError } from '../base/startup-error.ts';
import { Interrupted } from './interrupted.ts';

const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });

const LOST_KEY =
  'A key came with Alt (or Option), which the terminal does not take for a letter: nothing was changed.';

/**
 * Asks at the terminal, one question after the other, on standard error; what is typed is not shown.
 * @throws Interrupted, and StartupError when the input ends before all questions are answered, or would lose a letter
 */
export async function askSilently(questions: readonly string[]): Promise<string[]> {
  // One interface for all questions, so that no pasted line is lost. No history, which an arrow key would show.
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
        // Not earlier: what the operator types after that is shown, and goes to the shell.
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
    terminal.close(); // restores the terminal
  }
}

/**
 * Asks at a terminal before a change that cannot be undone. A script is not asked, since it could not answer.
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
