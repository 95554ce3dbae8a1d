import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { StartupError } from '../startup-error.ts';
import { Interrupted } from './interrupted.ts';

const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });

/**
 * Asks at the terminal, one question after the other, on standard error; what is typed is not shown.
 * @throws Interrupted, and StartupError when the input ends before all are answered
 */
export async function askSilently(questions: readonly string[]): Promise<string[]> {
  // One for all, so that no line of several that are pasted is lost; and no history, which an arrow key would bring back.
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true, historySize: 0 });
  const answers: string[] = [];
  const ask = () => process.stderr.write(questions[answers.length] ?? '');
  try {
    ask();
    return await new Promise((resolve, reject) => {
      terminal.on('line', (line) => {
        process.stderr.write('\n');
        if (answers.push(line) === questions.length) resolve(answers);
        else ask();
      });
      terminal.on('SIGINT', () => reject(new Interrupted()));
      terminal.on('close', () => reject(new StartupError('Nothing was entered, and nothing was changed.')));
    });
  } catch (error) {
    process.stderr.write('\n');
    throw error;
  } finally {
    terminal.close(); // the terminal is as it was
  }
}
