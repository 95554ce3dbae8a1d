import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../../src/database/index.ts';
import { ADA } from '../../support/app.ts';
import { bin, temporaryFolder } from '../../support/process.ts';
import { findProgram, lacks } from '../../support/system.ts';

const DATA_DIR = temporaryFolder();
beforeAll(async () => (await openDatabase(`sqlite:${DATA_DIR}/idcard.sqlite`)).destroy());
afterAll(() => rmSync(DATA_DIR, { recursive: true, force: true }));

/** What a terminal shows of `users add`, its exit code, and how it leaves the terminal, when somebody types. */
async function type(answers: readonly [question: string, keys: string][]): Promise<string> {
  const command = `'${process.execPath}' '${bin()}' users add ${ADA.email}; echo "code $?"; stty -a | grep -oE -- '-?(icanon|echo|isig) '`;
  const child = spawn(findProgram('script') ?? '', ['--quiet', '--command', command, '/dev/null'], {
    env: { DATA_DIR, PATH: process.env.PATH, SHELL: '/bin/sh', TERM: 'xterm' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const waiting = [...answers];
  let shown = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    shown += chunk;
    const [question, keys] = waiting[0] ?? [];
    if (question === undefined || !shown.includes(question)) return;
    waiting.shift();
    child.stdin.write(keys ?? '');
  });
  await once(child, 'close');
  return shown.replaceAll('\r\n', '\n');
}

const RESTORED = 'isig \nicanon \necho \n';

describe.skipIf(lacks('script'))('at the prompt for a password', () => {
  test.each([
    ['Ctrl-C', [['Password: ', '\x03']], 'Password: \ncode 130\n'],
    ['Ctrl-C after some letters', [['Password: ', 'violet\x03']], 'Password: \ncode 130\n'],
    [
      'Ctrl-C at the second question',
      [
        ['Password: ', 'violet\r'],
        ['Again: ', '\x03'],
      ],
      'Password: \nAgain: \ncode 130\n',
    ],
    [
      'Ctrl-D',
      [['Password: ', '\x04']],
      'Password: \nidcard: Nothing was entered, and nothing was changed.\ncode 1\n',
    ],
    [
      'another answer at the second question',
      [
        ['Password: ', 'violet\r'],
        ['Again: ', 'otters\r'],
      ],
      'Password: \nAgain: \nidcard: The two passwords differ.\ncode 1\n',
    ],
    [
      'both lines pasted at once',
      [['Password: ', `x${ADA.email}\rx${ADA.email}\r`]],
      'Password: \nAgain: \nidcard: The password is refused. Must not be made of your email',
    ],
  ] as const)('%s leaves the terminal as it was, and no stack', async (_what, answers, shown) => {
    const all = await type(answers.map(([question, keys]) => [question, keys]));
    expect(all.startsWith(shown)).toBe(true);
    expect(all.endsWith(RESTORED)).toBe(true);
    expect(all).not.toContain(' at ');
  });
});
