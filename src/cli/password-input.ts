import { buffer } from 'node:stream/consumers';
import { StartupError } from '../base/startup-error.ts';
import { decodeUtf8, hasLostBytes } from '../base/utf8.ts';
import type { Config } from '../config/config.ts';
import { createLazyPasswordPolicy } from '../factors/passwords/lazy-policy.ts';
import { KnownPassword, type PasswordSpellings } from '../factors/passwords/password.ts';
import { askSilently } from './prompt.ts';

/**
 * A new password, from a prompt, or from standard input when that is no terminal. Never from an argument, which every user of the
 * machine could read. The first spelling is the one to hash.
 * @throws StartupError when the password is refused
 */
export async function readNewPassword(
  { passwords, server }: Config,
  email: string,
): Promise<PasswordSpellings> {
  const { data: spellings, error } = KnownPassword.safeParse(await readPassword());
  if (error) throw new StartupError(`The password is refused. ${error.issues[0]?.message}.`);
  const objection = await createLazyPasswordPolicy(passwords, server.publicUrl).objection(
    spellings[0],
    email,
  );
  if (objection) throw new StartupError(`The password is refused. ${objection.detail}.`);
  return spellings;
}

async function readPassword(): Promise<string> {
  const password = process.stdin.isTTY ? await askTwice() : decodeUtf8(await buffer(process.stdin));
  // Bytes of another encoding would become other characters, and nobody could log in with that password.
  if (password === undefined || hasLostBytes(password))
    throw new StartupError('The password is refused. It has what cannot be decoded: it must be UTF-8.');
  // UTF-16 without a byte order mark is valid UTF-8, with a zero beside every letter, which nobody can type at a login.
  if (password.includes('\0'))
    throw new StartupError('The password is refused. It has zeros in it, as UTF-16 has: it must be UTF-8.');
  return process.stdin.isTTY ? password : password.replace(/\r?\n$/, '');
}

async function askTwice(): Promise<string> {
  const [password = '', again] = await askSilently(['Password: ', 'Again: ']);
  if (again !== password) throw new StartupError('The two passwords differ.');
  return password;
}
