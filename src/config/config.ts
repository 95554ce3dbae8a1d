import { revocationsAudience } from '../base/issuer.ts';
import { StartupError } from '../base/startup-error.ts';
import { isUnprotected } from '../base/this-machine.ts';
import { hasLostBytes } from '../base/utf8.ts';
import { readSecretFile } from './secret-file.ts';
import { defaultOf, type Read, type Setting, type Values, valuesOf } from './setting.ts';
import { GROUPS, SECRETS, SETTINGS } from './settings.ts';

/** Everything that the environment can set. Checked once, at the start; trusted everywhere else. */
export type Config = Values<typeof GROUPS>;

export type SigningAlgorithm = Config['keys']['algorithm'];

type Environment = Record<string, string | undefined>;

/**
 * The configuration that the environment describes.
 * @throws StartupError with a line for each variable that is wrong: a sentence that names it and says what to do.
 */
export function readConfig(env: Environment): Config {
  const complaints = new Set<string>(); // a list with two wrong items gives one complaint
  const values = withSecretFiles(withoutEmpty(env), complaints);
  const parsed = parse(values, complaints);
  const config = parsed && valuesOf(GROUPS, createReader(parsed));
  if (config) for (const complaint of contradictionsIn(config, values)) complaints.add(complaint);
  if (!config || complaints.size > 0) throw new StartupError([...complaints].join('\n'));
  return config;
}

/** What the rules make of the variables that are set; undefined where one of them is refused. */
function parse(values: Environment, complaints: Set<string>): Map<Setting, unknown> | undefined {
  const parsed = new Map<Setting, unknown>();
  let isGood = true;
  for (const setting of SETTINGS) {
    const { name, rule } = setting;
    const value = values[name];
    if (value === undefined) continue;
    if (hasLostBytes(value)) complaints.add(`${name} has what cannot be decoded: it must be UTF-8.`);
    const { success, data, error } = rule.safeParse(value);
    for (const { message } of error?.issues ?? []) complaints.add(`${name} must be ${message}.`);
    isGood &&= success;
    parsed.set(setting, data);
  }
  return isGood ? parsed : undefined;
}

function createReader(parsed: Map<Setting, unknown>): Read {
  return function read<T>(setting: Setting<T>): T {
    if (!parsed.has(setting)) return defaultOf(setting, read);
    return parsed.get(setting) as T; // the rule of the setting made the value
  };
}

/**
 * Refuses to serve without a decision about registration: where idcard guards an application, whoever can register is
 * inside. Commands need no decision.
 * @throws StartupError
 */
export function refuseUndecided({ accounts }: Config): void {
  if (accounts.registration !== undefined) return;
  throw new StartupError(
    'REGISTRATION must be set where NODE_ENV is production: to open, and anybody may create an account, or to closed, and only "idcard users add" does.',
  );
}

function* contradictionsIn({ server, tokens, database }: Config, values: Environment): Generator<string> {
  const mustNotExceed = [
    ['accessTokenTtlSeconds', 'refreshTokenIdleSeconds'],
    ['refreshTokenIdleSeconds', 'loginMaxAgeSeconds'],
    ['clockToleranceSeconds', 'accessTokenTtlSeconds'],
    ['revocationPollSeconds', 'accessTokenTtlSeconds'],
  ] as const;
  for (const [smaller, larger] of mustNotExceed) {
    if (tokens[smaller] > tokens[larger]) {
      const [small, large] = [GROUPS.tokens[smaller].name, GROUPS.tokens[larger].name];
      yield `${small} (${tokens[smaller]}) must not exceed ${large} (${tokens[larger]}): change one of them.`;
    }
  }
  if (values.KEY_SET && values.KEY_SET_FILE) {
    yield 'KEY_SET and KEY_SET_FILE are both set: remove one of them.';
  }
  if (isUnprotected(server.publicUrl) && !server.insecureHttp) {
    yield 'PUBLIC_URL is http and not on this machine, so that anybody on the way could read passwords and tokens: use https, or set INSECURE_HTTP to on, which permits bearer tokens and no cookies.';
  }
  if ([server.publicUrl, revocationsAudience(server.publicUrl)].includes(tokens.audience)) {
    yield 'AUDIENCE must differ from PUBLIC_URL (by default http://localhost:PORT), the audience of refresh tokens, and from ' +
      'its /.well-known/revocations, that of the list.';
  }
  const hasSiblings = server.workers > 1 || values.WORKERS === 'auto'; // `auto` counts as several on a machine with one core, too
  if (hasSiblings && database.url === 'sqlite::memory:') {
    yield 'DATABASE_URL is a database in memory, which several WORKERS cannot share: name a file.';
  }
  if (server.port === 0 && !values.PUBLIC_URL) {
    yield 'PORT=0 takes any free port, so PUBLIC_URL must be set as well.';
  }
}

/** `NAME=` in a compose file or a shell means "not set". */
function withoutEmpty(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
}

function withSecretFiles(env: Environment, complaints: Set<string>): Environment {
  const resolved = { ...env };
  for (const name of SECRETS) {
    const path = env[`${name}_FILE`];
    if (path === undefined) continue;
    if (env[name] !== undefined) {
      complaints.add(`${name} and ${name}_FILE are both set: remove one of them.`);
      continue;
    }
    try {
      resolved[name] = readSecretFile(path, `${name}_FILE`);
    } catch (error) {
      complaints.add((error as StartupError).message); // readSecretFile throws nothing else
    }
  }
  return resolved;
}
