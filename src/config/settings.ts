import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import {
  headerNames,
  issuer,
  numberOrAuto,
  oneOf,
  pageOrigins,
  proxyRanges,
  text,
  unchecked,
  whether,
  wholeNumber,
  wordOrNot,
} from './env-values.ts';
import { derived, NONE, secret, setting, settingsOf } from './setting.ts';

const onOrOff = whether('on', ['on', 'off']);
const cores = () => availableParallelism(); // availableParallelism respects a container's share of the machine

/* Settings from which the defaults of others are derived. */
const PORT = setting('PORT', wholeNumber(0, 65_535), 3000, 'Where to listen.');
const DATA_DIR = setting('DATA_DIR', text(4096), './data', 'The folder of the database and the key file.');
const IS_PRODUCTION = setting(
  'NODE_ENV',
  wordOrNot('production'),
  derived('', () => false),
  '`production`, as in the image, turns `DOCS_PAGE` off and wants `REGISTRATION` set.',
);

/** Every setting, in its group: the variable, what it may be, what it is when it is not set, and a sentence for docs/settings.md. */
// biome-ignore format: a setting is one line, or two where there is much to say
export const GROUPS = {
  server: {
    publicUrl: setting('PUBLIC_URL', issuer, derived('`http://localhost:PORT`', (read) => `http://localhost:${read(PORT)}`),
      'The issuer, as clients reach it; https except on localhost. With a path where an application has the host, `https://example.com/auth`: [under a path](../deploy/README.md#under-a-path). A slash at its end is taken off; verifiers compare it exactly.'),
    insecureHttp: setting('INSECURE_HTTP', onOrOff, 'off',
      '`on` permits a `PUBLIC_URL` with http that is not on this machine, for bearer tokens alone: cookies are refused.'),
    host: setting('HOST', text(255), 'localhost', 'Where to listen.'),
    port: PORT,
    workers: setting('WORKERS', numberOrAuto(1, 256, cores), 1,
      'Processes on the one port; `auto` is one per core. [All cores](operations/running.md#all-cores).'),
    trustedProxies: setting('TRUSTED_PROXIES', proxyRanges, '',
      'Addresses or ranges whose `X-Forwarded-For` is believed, with or without ports in it, and which name a method when they ask `GET /v1/verify`. Behind a proxy, set it: else all clients share one address, and its limits.'),
    allowedOrigins: setting('ALLOWED_ORIGINS', pageOrigins, '',
      'Pages of these origins may call (CORS), separated by commas; with cookies where they are of the same site, with bearer tokens from anywhere, apps such as `capacitor://localhost` among them.'),
    allowedHeaders: setting('ALLOWED_HEADERS', headerNames, '',
      'Request headers that those pages may send beside `Authorization`, `Content-Type` and `DPoP`, such as `traceparent,sentry-trace`.'),
    docsPage: setting('DOCS_PAGE', onOrOff, derived('`on`', (read) => !read(IS_PRODUCTION)),
      'The page at `/docs`; `off` where `NODE_ENV` is `production`, unless it is asked for.'),
    // A proxy that sends a POST while this side closes the connection has to answer 502. The proxies of Google Cloud keep
    // connections for 600 s.
    keepAliveSeconds: setting('KEEP_ALIVE_SECONDS', wholeNumber(1, 86_400), 620,
      'How long an idle connection is kept; your proxy must keep its own for less, as [the usual ones](../deploy/README.md#an-application-behind-idcard) do.'),
    shutdownDelaySeconds: setting('SHUTDOWN_DELAY_SECONDS', wholeNumber(0, 120), 5,
      'After SIGTERM, how long to serve while `/readyz` answers 503.'),
    isProduction: IS_PRODUCTION,
  },
  tokens: {
    audience: setting('AUDIENCE', text(256), 'api', 'The `aud` of access tokens.'),
    accessTokenTtlSeconds: setting('ACCESS_TOKEN_TTL_SECONDS', wholeNumber(10, 86_400), 300, 'How long an access token is good.'),
    refreshTokenIdleSeconds: setting('REFRESH_TOKEN_IDLE_SECONDS', wholeNumber(60, 31_536_000), 604_800,
      'How long a refresh token is good: 7 days since the last refresh.'),
    loginMaxAgeSeconds: setting('LOGIN_MAX_AGE_SECONDS', wholeNumber(60, 31_536_000), 2_592_000,
      'How long a login can be renewed: 30 days since it was made; so long a device token is good, too.'),
    clockToleranceSeconds: setting('CLOCK_TOLERANCE_SECONDS', wholeNumber(0, 60), 5, 'For `iat` and `nbf`; `exp` has none.'),
    revocationPollSeconds: setting('REVOCATION_POLL_SECONDS', wholeNumber(1, 60), 2,
      'How often each replica asks which tokens were revoked.'),
    requireDpop: setting('REQUIRE_DPOP', whether('true', ['false', 'true']), 'false',
      '`true` refuses logins and tokens that are not bound to a key.'),
    emailClaim: setting('EMAIL_CLAIM', onOrOff, 'off',
      '`on` puts verified addresses into access tokens (`email`) and `X-Auth-Email`. [Who has an account](operations/accounts.md#who-has-an-account).'),
  },
  keys: {
    keySet: setting('KEY_SET', unchecked('a private JWK Set'), NONE, 'The private JWK Set itself, instead of a file.'),
    keySetFile: setting('KEY_SET_FILE', text(4096), derived('`DATA_DIR/keys.json`', (read) => join(read(DATA_DIR), 'keys.json')),
      'The private JWK Set, mode 0600, or of root and 0440; created on the first start, or by `keys create`.'),
    algorithm: setting('JWT_ALGORITHM', oneOf(['ES256', 'RS256', 'EdDSA']), 'ES256', 'To change it, set it and run `keys rotate`.'),
    jwksMaxAgeSeconds: setting('JWKS_MAX_AGE_SECONDS', wholeNumber(1, 86_400), 300, 'How long verifiers may keep the published keys.'),
  },
  passwords: {
    argon2: {
      memoryKib: setting('ARGON2_MEMORY_KIB', wholeNumber(19_456, 1_048_576), 19_456,
        'Raised, this or the next two: hashes are renewed at the next login, and until then a failed one costs both. Never lower them by more than eight times: [why](operations/accounts.md#what-a-password-hash-may-cost).'),
      timeCost: setting('ARGON2_TIME_COST', wholeNumber(2, 16), 2, 'Passes over that memory.'),
      parallelism: setting('ARGON2_PARALLELISM', wholeNumber(1, 16), 1, 'Lanes of that memory.'),
    },
    hashing: {
      // More hashes at once would only take memory and time from each other.
      atOnce: setting('PASSWORD_HASHES_AT_ONCE', wholeNumber(1, 1000), derived('one per core', cores),
        'The others wait in a queue; each takes a core and `ARGON2_MEMORY_KIB`.'),
      queueSeconds: setting('PASSWORD_QUEUE_SECONDS', wholeNumber(1, 60), 5,
        'A login that would wait for longer is 503 at once, with `Retry-After`.'),
    },
    minLength: setting('PASSWORD_MIN_LENGTH', wholeNumber(8, 64), 15,
      'Down to 8, which NIST allows only beside a second factor; of 8 to 14 characters, each must be worth 3 bits.'),
  },
  attempts: {
    rateLimits: setting('RATE_LIMITS', onOrOff, 'on', '`off` only where nobody can guess, such as a load test.'),
  },
  accounts: {
    // Undefined where REGISTRATION must be set and is not: then nobody may register, and no server starts.
    registration: setting('REGISTRATION', oneOf(['open', 'closed']), derived('`open`', (read) => read(IS_PRODUCTION) ? undefined : 'open' as const),
      '`closed` refuses `POST /v1/register`, and users come by `users add`. Where `NODE_ENV` is `production` there is no default, and no server starts until it is set.'),
  },
  database: {
    dataDir: DATA_DIR,
    url: secret('DATABASE_URL', text(4096), derived('`sqlite:DATA_DIR/idcard.sqlite`', (read) => `sqlite:${join(read(DATA_DIR), 'idcard.sqlite')}`),
      'The user directory; `postgres://user:password@host/name?sslmode=verify-full`, or what your host prints, for several replicas, see [operations](operations/README.md).'),
    poolSize: setting('DATABASE_POOL_SIZE', wholeNumber(1, 1000), 10, 'Connections to PostgreSQL, of each process at most.'),
  },
  redis: {
    url: secret('REDIS_URL', text(4096), NONE,
      '`redis://:password@host:6379/0`, or `rediss://` for TLS: where replicas share the counts of attempts, see [operations](operations/running.md#limits-shared-by-replicas).'),
  },
  log: {
    level: setting('LOG_LEVEL', oneOf(['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace']), 'info',
      '`debug` tells each request, and [why one was refused](operations/faults.md#what-went-wrong).'),
    format: setting('LOG_FORMAT', oneOf(['text', 'json']), NONE,
      'Of the server’s log on standard output: text at a terminal, else JSON lines.'),
  },
};

export const SETTINGS = settingsOf(GROUPS);

/** Variables that hold a secret: each may also come from the file that `NAME_FILE` names. */
export const SECRETS = SETTINGS.filter(({ isSecret }) => isSecret).map(({ name }) => name);

/** The name of every variable that is read. */
export const VARIABLES: ReadonlySet<string> = new Set([
  ...SETTINGS.map(({ name }) => name),
  ...SECRETS.map((name) => `${name}_FILE`),
]);
