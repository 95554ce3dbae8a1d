import { text } from 'node:stream/consumers';
import { read } from 'read';
import type { Config } from '../config.ts';
import { createLazyPasswordPolicy } from '../passwords/lazy-policy.ts';
import { Password } from '../passwords/password.ts';
import { StartupError } from '../startup-error.ts';

/**
 * A new password from a prompt, or from standard input when that is no terminal: never from an argument, which
 * every user of the machine could read.
 * @throws StartupError when it is no good
 */
export async function readNewPassword(config: Config, email: string): Promise<string> {
  const { data: password, error } = Password.safeParse(await readPassword());
  if (error) throw new StartupError(`The password is refused. ${error.issues[0]?.message}.`);
  const objection = await createLazyPasswordPolicy(config).objection(password, email);
  if (objection) throw new StartupError(`The password is refused. ${objection.detail}.`);
  return password;
}

async function readPassword(): Promise<string> {
  if (!process.stdin.isTTY) return (await text(process.stdin)).replace(/\r?\n$/, '');
  const prompt = async (question: string) => {
    const answer = await read({ prompt: question, silent: true, output: process.stderr });
    process.stderr.write('\n'); // the one that was typed is not shown
    return answer;
  };
  const password = await prompt('Password: ');
  if ((await prompt('Again: ')) !== password) throw new StartupError('The two passwords differ.');
  return password;
}
