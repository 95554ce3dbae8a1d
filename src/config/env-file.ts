import { isUtf8 } from 'node:buffer';
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { codeOf } from '../base/error-code.ts';
import { StartupError } from '../base/startup-error.ts';
import { misspeltSettings } from './misspelt.ts';
import { SECRETS, VARIABLES } from './settings.ts';

type Environment = Record<string, string | undefined>;

/** Settings that no other user of the machine should read. Windows has no file modes of this kind. */
const SECRET_SETTINGS = ['KEY_SET', ...SECRETS];
const OTHERS_MAY_READ = process.platform === 'win32' ? 0 : 0o004;

/**
 * Adds the settings of the file `.env` in the working folder to the environment. The environment wins, also where it
 * names a file (`DATABASE_URL_FILE`). Only settings are taken, since the file may be for other programs too. In
 * production the file is not read: a file that was left behind must change nothing.
 * @returns sentences that the operator should read
 * @throws StartupError when the file is there and cannot be understood
 */
export function readEnvFile(env: Environment): string[] {
  const path = resolve('.env');
  const text = readIfThere(path);
  if (text === undefined) return misspeltSettings(namesOf(env));
  if (env.NODE_ENV === 'production')
    return [`${path} is not read where NODE_ENV is production.`, ...misspeltSettings(namesOf(env))];
  const found = parse(path, text);
  const advice = misspeltSettings([...new Set([...namesOf(env), ...namesOf(found)])]);
  for (const name of unheededIn(text, found))
    advice.push(`A line of ${path} begins with ${name} and is not heeded: write ${name}=value`);
  const taken = Object.keys(found).filter((name) => VARIABLES.has(name) && !isSet(env, name));
  for (const name of taken) env[name] = found[name];
  const secret = SECRET_SETTINGS.find((name) => taken.includes(name));
  if (secret !== undefined && (statSync(path).mode & OTHERS_MAY_READ) !== 0)
    advice.push(`Every user of this machine can read ${secret} in ${path}: run chmod 600 .env`);
  return advice;
}

/** Settings in the syntax of other files, `NAME: value` or `set NAME=value`, which Node.js passes over. */
function unheededIn(text: string, found: Environment): string[] {
  const lines = text.matchAll(/^[ \t]*(?:(?:export|set)[ \t]+)?([A-Z_]+)[ \t]*[:= \t]/gm);
  return [...new Set([...lines].map(([, name = '']) => name))].filter(
    (name) => VARIABLES.has(name) && !(name in found),
  );
}

function namesOf(env: Environment): string[] {
  return Object.keys(env).filter((name) => env[name] !== undefined && env[name] !== '');
}

/**
 * Whether the environment sets a variable, by its value or by a file. An empty variable counts: it says "not set",
 * whatever `.env` says.
 */
function isSet(env: Environment, name: string): boolean {
  const base = name.replace(/_FILE$/, '');
  return env[base] !== undefined || env[`${base}_FILE`] !== undefined;
}

function readIfThere(path: string): string | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined;
    throw new StartupError(`${path} cannot be read (${codeOf(cause)}): correct that, or remove it.`, {
      cause,
    });
  }
  if (!isUtf8(bytes) || bytes.includes(0))
    throw new StartupError(`${path} is no text in UTF-8: write it anew, or remove it.`);
  return bytes.toString().replace(/^\ufeff/, '');
}

/**
 * Refuses a file that was not written to its end. Node.js would take a value with an unclosed quotation mark as it
 * stands, and pass over half a line.
 */
function parse(path: string, text: string): Environment {
  const found = parseEnv(text) as Environment;
  const open = Object.keys(found).find((name) => /^["'`]/.test(found[name] ?? ''));
  if (open !== undefined)
    throw new StartupError(
      `In ${path} the quotation mark of ${open} is not closed: it was not written to its end.`,
    );
  const [, half] = /(?:^|\n)[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)\s*$/.exec(text) ?? [];
  if (half !== undefined && !Object.values(found).some((value) => value?.endsWith(half)))
    throw new StartupError(`${path} ends with ${half} and no value: it was not written to its end.`);
  return found;
}
