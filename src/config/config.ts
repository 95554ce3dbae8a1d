import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { StartupError } from '../base/startup-error.ts';
import { isUnprotected } from '../base/this-machine.ts';
import { hasLostBytes } from '../base/utf8.ts';
import { basePathOf } from '../http/base-path.ts';
import { revocationsAudience } from '../proofs/tokens/profiles.ts';
import {
  baseUrl,
  headerName,
  list,
  numberOrAuto,
  oneOf,
  pageOrigin,
  proxyRange,
  text,
  wholeNumber,
} from './env-values.ts';

/** Everything that the environment can set. Checked once, at the start; trusted everywhere else. */
export interface Config {
  server: {
    /** The issuer: the address under which clients reach this service, maybe with a path, without a slash at its end. */
    publicUrl: string;
    host: string;
    port: number;
    /** How many processes serve; with 1 there is no other. */
    workers: number;
    /** Addresses and CIDR ranges of proxies whose `X-Forwarded-For` is believed. */
    trustedProxies: readonly string[];
    /** The origins whose pages may call; those of the web with cookies too. */
    allowedOrigins: readonly string[];
    /** Request headers that those pages may send besides those of the API. */
    allowedHeaders: readonly string[];
    /** Whether `GET /docs` is served. */
    docsPage: boolean;
    /** For how long a connection is kept on which nothing is asked. */
    keepAliveSeconds: number;
    shutdownDelaySeconds: number;
  };
  tokens: {
    /** The `aud` of access tokens. */
    audience: string;
    accessTokenTtlSeconds: number;
    refreshTokenIdleSeconds: number;
    loginMaxAgeSeconds: number;
    clockToleranceSeconds: number;
    /** How often each replica asks the directory which token versions were raised. */
    revocationPollSeconds: number;
    /** Whether tokens that are not bound to a key are refused. */
    requireDpop: boolean;
    /** Whether access tokens name the user's email, where it is verified. */
    emailClaim: boolean;
  };
  keys: {
    /** The private JWK Set itself; when absent it is read from `keySetFile`. */
    keySet: string | undefined;
    keySetFile: string;
    algorithm: SigningAlgorithm;
    /** For how long verifiers may keep the published keys. */
    jwksMaxAgeSeconds: number;
  };
  passwords: {
    argon2: { memoryKib: number; timeCost: number; parallelism: number };
    /** How many password hashes run at once, and for how long others may wait for their turn. */
    hashing: { atOnce: number; queueSeconds: number };
    minLength: number;
  };
  attempts: { rateLimits: boolean };
  /** Whether anybody may create a user. Undefined where that has to be said and was not: then nobody may, and no server starts. */
  accounts: { registration: (typeof REGISTRATIONS)[number] | undefined };
  database: {
    dataDir: string;
    url: string;
    /** How many connections each process has to PostgreSQL at most. */
    poolSize: number;
  };
  /** Where replicas share the counts of guesses, if anywhere. */
  redis: { url: string | undefined };
  log: {
    level: (typeof LOG_LEVELS)[number];
    /** When absent: text at a terminal, else JSON. */
    format: (typeof LOG_FORMATS)[number] | undefined;
  };
}

export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];

const SIGNING_ALGORITHMS = ['ES256', 'RS256', 'EdDSA'] as const;
const REGISTRATIONS = ['open', 'closed'] as const;
const LOG_LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
const LOG_FORMATS = ['text', 'json'] as const;

/** Variables that hold a secret: each may also come from the file that `NAME_FILE` names. */
export const SECRETS = ['DATABASE_URL', 'REDIS_URL'] as const;

const ADDRESS = 'an address like https://login.example.com or https://example.com/auth';
/** With what the paths of the routes begin. */
const OWN_PATHS = ['v1', 'docs', 'openapi.json', 'openapi.yaml', 'livez', 'readyz', '.well-known'];

const environment = z.object({
  PUBLIC_URL: z
    .string()
    .transform(baseUrl(ADDRESS))
    .refine(
      isUnambiguous,
      `${ADDRESS}; its path must not begin like one of idcard’s own, such as /v1 or /docs`,
    )
    .optional(),
  INSECURE_HTTP: oneOf(['on', 'off']).default('off'),
  AUDIENCE: text(256).default('api'),
  HOST: text(255).default('localhost'),
  PORT: wholeNumber(0, 65_535).default(3000),
  WORKERS: numberOrAuto(1, 256).default(1),
  DATA_DIR: text(4096).default('./data'),
  DATABASE_URL: text(4096).optional(),
  DATABASE_POOL_SIZE: wholeNumber(1, 1000).default(10),
  REDIS_URL: text(4096).optional(),
  KEY_SET: z.string().optional(),
  KEY_SET_FILE: text(4096).optional(),
  JWT_ALGORITHM: oneOf(SIGNING_ALGORITHMS).default('ES256'),
  ACCESS_TOKEN_TTL_SECONDS: wholeNumber(10, 86_400).default(300),
  REFRESH_TOKEN_IDLE_SECONDS: wholeNumber(60, 31_536_000).default(604_800),
  LOGIN_MAX_AGE_SECONDS: wholeNumber(60, 31_536_000).default(2_592_000),
  CLOCK_TOLERANCE_SECONDS: wholeNumber(0, 60).default(5),
  REVOCATION_POLL_SECONDS: wholeNumber(1, 60).default(2),
  JWKS_MAX_AGE_SECONDS: wholeNumber(1, 86_400).default(300),
  REQUIRE_DPOP: oneOf(['false', 'true']).default('false'),
  ALLOWED_ORIGINS: list(
    pageOrigin('a list of addresses like https://app.example.com or capacitor://localhost'),
  ).default([]),
  ALLOWED_HEADERS: list(headerName).default([]),
  TRUSTED_PROXIES: list(proxyRange).default([]),
  ARGON2_MEMORY_KIB: wholeNumber(19_456, 1_048_576).default(19_456),
  ARGON2_TIME_COST: wholeNumber(2, 16).default(2),
  ARGON2_PARALLELISM: wholeNumber(1, 16).default(1),
  PASSWORD_HASHES_AT_ONCE: wholeNumber(1, 1000).optional(),
  PASSWORD_QUEUE_SECONDS: wholeNumber(1, 60).default(5),
  PASSWORD_MIN_LENGTH: wholeNumber(8, 64).default(15),
  EMAIL_CLAIM: oneOf(['on', 'off']).default('off'),
  REGISTRATION: oneOf(REGISTRATIONS).optional(),
  RATE_LIMITS: oneOf(['on', 'off']).default('on'),
  DOCS_PAGE: oneOf(['on', 'off']).optional(),
  NODE_ENV: z.string().optional(),
  LOG_LEVEL: oneOf(LOG_LEVELS).default('info'),
  LOG_FORMAT: oneOf(LOG_FORMATS).optional(),
  // A proxy that sends a POST while this side closes has to answer 502. Those of Google Cloud keep theirs for 600 s.
  KEEP_ALIVE_SECONDS: wholeNumber(1, 86_400).default(620),
  SHUTDOWN_DELAY_SECONDS: wholeNumber(0, 120).default(5),
});

type Settings = z.infer<typeof environment>;

/** The name of every variable that is read. */
export const SETTINGS: ReadonlySet<string> = new Set([
  ...Object.keys(environment.shape),
  ...SECRETS.map((name) => `${name}_FILE`),
]);

/**
 * The configuration that the environment describes.
 * @throws StartupError with a line for each variable that is wrong: a sentence that names it and says what to do.
 */
export function readConfig(env: Record<string, string | undefined>): Config {
  const settings = readSettings(env);
  const isProduction = settings.NODE_ENV === 'production';
  return {
    server: {
      publicUrl: publicUrlOf(settings),
      host: settings.HOST,
      port: settings.PORT,
      // A container's share of the machine is respected.
      workers: settings.WORKERS === 'auto' ? availableParallelism() : settings.WORKERS,
      trustedProxies: settings.TRUSTED_PROXIES,
      allowedOrigins: settings.ALLOWED_ORIGINS,
      allowedHeaders: settings.ALLOWED_HEADERS,
      docsPage: (settings.DOCS_PAGE ?? (isProduction ? 'off' : 'on')) === 'on',
      keepAliveSeconds: settings.KEEP_ALIVE_SECONDS,
      shutdownDelaySeconds: settings.SHUTDOWN_DELAY_SECONDS,
    },
    tokens: {
      audience: settings.AUDIENCE,
      accessTokenTtlSeconds: settings.ACCESS_TOKEN_TTL_SECONDS,
      refreshTokenIdleSeconds: settings.REFRESH_TOKEN_IDLE_SECONDS,
      loginMaxAgeSeconds: settings.LOGIN_MAX_AGE_SECONDS,
      clockToleranceSeconds: settings.CLOCK_TOLERANCE_SECONDS,
      revocationPollSeconds: settings.REVOCATION_POLL_SECONDS,
      requireDpop: settings.REQUIRE_DPOP === 'true',
      emailClaim: settings.EMAIL_CLAIM === 'on',
    },
    keys: {
      keySet: settings.KEY_SET,
      keySetFile: settings.KEY_SET_FILE ?? join(settings.DATA_DIR, 'keys.json'),
      algorithm: settings.JWT_ALGORITHM,
      jwksMaxAgeSeconds: settings.JWKS_MAX_AGE_SECONDS,
    },
    passwords: {
      argon2: {
        memoryKib: settings.ARGON2_MEMORY_KIB,
        timeCost: settings.ARGON2_TIME_COST,
        parallelism: settings.ARGON2_PARALLELISM,
      },
      hashing: {
        // More would only take memory and time from each other.
        atOnce: settings.PASSWORD_HASHES_AT_ONCE ?? availableParallelism(),
        queueSeconds: settings.PASSWORD_QUEUE_SECONDS,
      },
      minLength: settings.PASSWORD_MIN_LENGTH,
    },
    attempts: { rateLimits: settings.RATE_LIMITS === 'on' },
    accounts: { registration: settings.REGISTRATION ?? (isProduction ? undefined : 'open') },
    database: {
      dataDir: settings.DATA_DIR,
      url: settings.DATABASE_URL ?? `sqlite:${join(settings.DATA_DIR, 'idcard.sqlite')}`,
      poolSize: settings.DATABASE_POOL_SIZE,
    },
    redis: { url: settings.REDIS_URL },
    log: { level: settings.LOG_LEVEL, format: settings.LOG_FORMAT },
  };
}

function readSettings(env: Record<string, string | undefined>): Settings {
  const complaints = new Set<string>(); // a list with two wrong items has one
  const values = withSecretFiles(withoutEmpty(env), complaints);
  for (const name of Object.keys(environment.shape))
    if (hasLostBytes(values[name] ?? ''))
      complaints.add(`${name} has what cannot be decoded: it must be UTF-8.`);
  const result = environment.safeParse(values);
  for (const { path, message } of result.error?.issues ?? [])
    complaints.add(`${path[0]?.toString()} must be ${message}.`);
  if (result.success) for (const complaint of contradictionsIn(result.data)) complaints.add(complaint);
  if (!result.success || complaints.size > 0) throw new StartupError([...complaints].join('\n'));
  return result.data;
}

/**
 * What a server must have been told, and a command need not: in front of an application, whoever can register is inside.
 * @throws StartupError
 */
export function refuseUndecided({ accounts }: Config): void {
  if (accounts.registration !== undefined) return;
  throw new StartupError(
    'REGISTRATION must be set where NODE_ENV is production: to open, and anybody may create an account, or to closed, and only "idcard users add" does.',
  );
}

function* contradictionsIn(settings: Settings): Generator<string> {
  const mustNotExceed = [
    ['ACCESS_TOKEN_TTL_SECONDS', 'REFRESH_TOKEN_IDLE_SECONDS'],
    ['REFRESH_TOKEN_IDLE_SECONDS', 'LOGIN_MAX_AGE_SECONDS'],
    ['CLOCK_TOLERANCE_SECONDS', 'ACCESS_TOKEN_TTL_SECONDS'],
    ['REVOCATION_POLL_SECONDS', 'ACCESS_TOKEN_TTL_SECONDS'],
  ] as const;
  for (const [smaller, larger] of mustNotExceed) {
    if (settings[smaller] > settings[larger]) {
      yield `${smaller} (${settings[smaller]}) must not exceed ${larger} (${settings[larger]}): change one of them.`;
    }
  }
  if (settings.KEY_SET && settings.KEY_SET_FILE) {
    yield 'KEY_SET and KEY_SET_FILE are both set: remove one of them.';
  }
  const issuer = publicUrlOf(settings);
  if (isUnprotected(issuer) && settings.INSECURE_HTTP === 'off') {
    yield 'PUBLIC_URL is http and not on this machine, so that anybody on the way could read passwords and tokens: use https, or set INSECURE_HTTP to on, which permits bearer tokens and no cookies.';
  }
  if ([issuer, revocationsAudience(issuer)].includes(settings.AUDIENCE)) {
    yield 'AUDIENCE must differ from PUBLIC_URL (by default http://localhost:PORT), the audience of refresh tokens, and from ' +
      'its /.well-known/revocations, that of the list.';
  }
  if (settings.WORKERS !== 1 && settings.DATABASE_URL === 'sqlite::memory:') {
    yield 'DATABASE_URL is a database in memory, which several WORKERS cannot share: name a file.';
  }
  if (settings.PORT === 0 && !settings.PUBLIC_URL) {
    yield 'PORT=0 takes any free port, so PUBLIC_URL must be set as well.';
  }
}

function publicUrlOf({ PUBLIC_URL, PORT }: Settings): string {
  return PUBLIC_URL ?? `http://localhost:${PORT}`;
}

/** Of `/v1/…` nobody could tell whether a proxy has taken a path `/v1` off. */
function isUnambiguous(publicUrl: string): boolean {
  return !OWN_PATHS.includes(basePathOf(publicUrl).split('/')[1] ?? '');
}

/** `NAME=` in a compose file or a shell means "not set". */
function withoutEmpty(env: Record<string, string | undefined>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
}

function withSecretFiles(
  env: Record<string, string | undefined>,
  complaints: Set<string>,
): Record<string, string | undefined> {
  const resolved = { ...env };
  for (const name of SECRETS) {
    const path = env[`${name}_FILE`];
    if (path === undefined) continue;
    if (env[name] !== undefined) {
      complaints.add(`${name} and ${name}_FILE are both set: remove one of them.`);
      continue;
    }
    try {
      resolved[name] = readFileSync(path, 'utf8').trim();
    } catch {
      complaints.add(`${name}_FILE names a file that cannot be read.`);
    }
  }
  return resolved;
}
