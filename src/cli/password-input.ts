import { buffer } from 'node:stream/consumers';
import { read } from 'read';
import type { Config } from '../config.ts';
import { createLazyPasswordPolicy } from '../passwords/lazy-policy.ts';
import { KnownPassword, type PasswordSpellings } from '../passwords/password.ts';
import { StartupError } from '../startup-error.ts';
import { decodeUtf8, hasLostBytes } from '../utf8.ts';

/**
 * A new password from a prompt, or from standard input when that is no terminal: never from an argument, which
 * every user of the machine could read. The first spelling is the one to hash.
 * @throws StartupError when it is no good
 */
export async function readNewPassword(config: Config, email: string): Promise<PasswordSpellings> {
  const { data: spellings, error } = KnownPassword.safeParse(await readPassword());
  if (error) throw new StartupError(`The password is refused. ${error.issues[0]?.message}.`);
  const objection = await createLazyPasswordPolicy(config).objection(spellings[0], email);
  if (objection) throw new StartupError(`The password is refused. ${objection.detail}.`);
  return spellings;
}

async function readPassword(): Promise<string> {
  const password = process.stdin.isTTY ? await askPassword() : decodeUtf8(await buffer(process.stdin));
  // Bytes of another encoding would become other characters, with which nobody logs in.
  if (password === undefined || hasLostBytes(password))
    throw new StartupError('The password is refused. It has what cannot be decoded: it must be UTF-8.');
  return process.stdin.isTTY ? password : password.replace(/\r?\n$/, '');
}

async function askPassword(): Promise<string> {
  const prompt = async (question: string) => {
    const answer = await read({ prompt: question, silent: true, output: process.stderr });
    process.stderr.write('\n'); // the one that was typed is not shown
    return answer;
  };
  const password = await prompt('Password: ');
  if ((await prompt('Again: ')) !== password) throw new StartupError('The two passwords differ.');
  return password;
}
