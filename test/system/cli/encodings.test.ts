import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../../src/database/index.ts';
import { bin, type Finished, run, temporaryFolder } from '../../support/process.ts';
import { PYTHON } from '../../support/python.ts';

const DATA_DIR = temporaryFolder();
beforeAll(async () => (await openDatabase(`sqlite:${join(DATA_DIR, 'idcard.sqlite')}`)).destroy());
afterAll(() => rmSync(DATA_DIR, { recursive: true }));

const PASSWORD = 'fünf violette Otter spielen Dame';
const REFUSAL = 'The password is refused. It has what cannot be decoded: it must be UTF-8.';
const MUST_DIFFER = 'The password is refused. Must differ from the current password.';

function idcard(args: string[], input: string | Uint8Array = '', env: Record<string, string> = {}) {
  return run(args, { input, env: { DATA_DIR, ...env } });
}

/** Runs a command of bash; `idcard` is the command, and `$'\xe9'` a byte. */
async function shell(command: string): Promise<Finished> {
  const script = `idcard() { "${process.execPath}" "${bin()}" "$@"; }; ${command}`;
  const child = spawn('bash', ['-c', script], {
    env: { PATH: process.env.PATH, DATA_DIR },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code, stdout, stderr };
}

function expectRefusal({ code, stdout, stderr }: Finished, sentence = REFUSAL): void {
  expect([code, stdout, stderr]).toEqual([1, '', `idcard: ${sentence}\n`]);
}

const nobodyWasAdded = async () => expect((await idcard(['users', 'list', '--json'])).stdout).toBe('');

describe('a password from standard input', () => {
  test('in UTF-16 without its mark is refused, and nobody added', async () => {
    const sentence = 'The password is refused. It has zeros in it, as UTF-16 has: it must be UTF-8.';
    const input = Buffer.from('violet otters play chess\n', 'utf16le');
    expectRefusal(await idcard(['users', 'add', 'ada@example.com'], input), sentence);
    await nobodyWasAdded();
  });

  test.each([
    ['Latin-1', Buffer.from(PASSWORD, 'latin1')],
    ['Latin-1, its only such letter last', Buffer.from('violet otters play caf\xe9', 'latin1')],
    ['UTF-16 with its mark', Buffer.from(`\ufeff${PASSWORD}`, 'utf16le')],
    ['UTF-8 that is cut', Buffer.from(PASSWORD).subarray(0, 2)],
    ['an encoded surrogate', Buffer.from('766f696c6574eda080', 'hex')],
    ['what another program has decoded with a loss', 'f\ufffdnf violette Otter spielen Dame'],
  ])('in %s is refused, and nobody added', async (_what, bytes) => {
    expectRefusal(await idcard(['users', 'add', 'ada@example.com'], bytes));
    await nobodyWasAdded();
  });

  describe('of one who is there', () => {
    const BOB = 'bob@example.com';
    beforeAll(async () => {
      expect((await idcard(['users', 'add', BOB], PASSWORD)).code).toBe(0);
    });
    afterAll(() => idcard(['users', 'delete', BOB]));

    test.each([
      ['with a byte order mark, as Windows writes it', `\ufeff${PASSWORD}\r\n`],
      ['with no-break spaces', PASSWORD.replaceAll(' ', '\u00a0')],
      ['in letters and accents of their own', PASSWORD.normalize('NFD')],
    ])('%s is the same', async (_how, input) => {
      expectRefusal(await idcard(['users', 'set-password', BOB], input), MUST_DIFFER);
    });

    test('in pieces, one of which ends within a letter, is the same', async () => {
      const command = `idcard users set-password ${BOB}`;
      const pieces = `{ printf 'f\\xc3'; sleep 0.3; printf '\\xbcnf violette Otter spielen Dame\\n'; }`;
      expectRefusal(await shell(`${pieces} | ${command}`), MUST_DIFFER);
    });

    test('in Latin-1 is refused, and the old one stays', async () => {
      const input = Buffer.from('größere Otter schwimmen schneller', 'latin1');
      expectRefusal(await idcard(['users', 'set-password', BOB], input));
      expectRefusal(await idcard(['users', 'set-password', BOB], PASSWORD), MUST_DIFFER);
    });
  });
});

describe('a password at the prompt', () => {
  /** Types a password twice at a terminal. Prints what was shown, and then the exit code. */
  const TYPIST = `
import os, pty, sys
password, *command = sys.argv[1:]
pid, terminal = pty.fork()
if pid == 0: os.execv(command[0], command)
shown = b''
def until(words):
    global shown
    while words not in shown: shown += os.read(terminal, 1024)
    shown = shown[shown.index(words) + len(words):]
try:
    for question in (b'Password: ', b'Again: '):
        until(question)
        os.write(terminal, bytes.fromhex(password) + b'\\r')
    while True: shown += os.read(terminal, 1024)
except OSError: pass
print(shown.decode().strip(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;
  async function typed(bytes: Buffer, email: string): Promise<string> {
    const args = ['-c', TYPIST, bytes.toString('hex'), process.execPath, bin(), 'users', 'add', email];
    const child = spawn(PYTHON, args, { env: { PATH: process.env.PATH, DATA_DIR } });
    return (await Promise.all([text(child.stdout), once(child, 'close')]))[0].trim();
  }

  test('of a terminal that is not UTF-8 is refused', async () => {
    expect(await typed(Buffer.from(PASSWORD, 'latin1'), 'cleo@example.com')).toMatch(`idcard: ${REFUSAL} 1`);
    await nobodyWasAdded();
  });

  test.each([' ', 'b', '\u00a0'])(
    'with "%s" typed with Alt is refused, as that would be lost',
    async (key) => {
      const shown = await typed(Buffer.from(PASSWORD.replace(' ', `\x1b${key}`)), 'cleo@example.com');
      expect(shown).toMatch(/idcard: A key came with Alt \(or Option\), .*: nothing was changed\. 1$/s);
      expect(shown).not.toContain('Otter');
      await nobodyWasAdded();
    },
  );

  test('of one that is, is taken', async () => {
    const shown = await typed(Buffer.from(PASSWORD), 'cleo@example.com');
    expect(shown).toMatch(/Added cleo@example\.com as .* 0$/s);
    expect((await idcard(['users', 'delete', 'cleo@example.com'])).code).toBe(0);
  });
});

test('an argument that is not UTF-8 is refused, whichever it is', async () => {
  for (const args of [
    "users add $'ad\\xe1@example.com'",
    "users disable $'ad\\xe1@example.com'",
    "users set-roles ada@example.com $'\\xe1dmin'",
    "users export --output $'\\xe1.ndjson'",
  ]) {
    const { code, stdout, stderr } = await shell(`idcard ${args}`);
    const sentence = 'error: an argument has what cannot be decoded: it must be UTF-8\n';
    expect([code, stdout, stderr]).toEqual([2, '', sentence]);
  }
  await nobodyWasAdded();
});

test('so is a setting, from the environment or from a file', async () => {
  const sentence = (name: string) => `idcard: ${name} has what cannot be decoded: it must be UTF-8.\n`;
  expect((await shell("AUDIENCE=$'\\xe1pi' idcard users list")).stderr).toBe(sentence('AUDIENCE'));
  const file = join(DATA_DIR, 'database-url');
  writeFileSync(file, Buffer.from('postgres://ada:gehe\xefm@localhost/idcard', 'latin1'));
  const env = { DATABASE_URL_FILE: file };
  expect((await idcard(['users', 'list'], '', env)).stderr).toBe(sentence('DATABASE_URL'));
  const moved = await idcard(['db', 'move', '--to-file', file]);
  expect([moved.code, moved.stderr]).toEqual([1, sentence('--to-file')]);
});
