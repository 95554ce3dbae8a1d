import { rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { StartupError } from '../src/base/startup-error.ts';
import { readConfig } from '../src/config/config.ts';
import { temporaryFolder } from './support/process.ts';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));

function fileWith(content: string): string {
  const path = join(folder, 'secret.txt');
  writeFileSync(path, content);
  return path;
}

function refusal(env: Record<string, string>): string {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof StartupError) return error.message;
    throw error;
  }
  throw new Error(`${JSON.stringify(env)} was accepted.`);
}

describe('without any variable', () => {
  test('everything has the default that the documentation names', () => {
    expect(readConfig({})).toEqual({
      server: {
        publicUrl: 'http://localhost:3000',
        host: 'localhost',
        port: 3000,
        workers: 1,
        allowedOrigins: [],
        allowedHeaders: [],
        trustedProxies: [],
        docsPage: true,
        isProduction: false,
        insecureHttp: false,
        keepAliveSeconds: 620,
        shutdownDelaySeconds: 5,
      },
      tokens: {
        audience: 'api',
        accessTokenTtlSeconds: 300,
        refreshTokenIdleSeconds: 604_800,
        loginMaxAgeSeconds: 2_592_000,
        clockToleranceSeconds: 5,
        revocationPollSeconds: 2,
        requireDpop: false,
        emailClaim: false,
      },
      keys: {
        keySet: undefined,
        keySetFile: 'data/keys.json',
        algorithm: 'ES256',
        jwksMaxAgeSeconds: 300,
      },
      passwords: {
        argon2: { memoryKib: 19_456, timeCost: 2, parallelism: 1 },
        hashing: { atOnce: availableParallelism(), queueSeconds: 5 },
        minLength: 15,
      },
      attempts: {
        rateLimits: true,
      },
      accounts: {
        registration: 'open',
      },
      database: {
        dataDir: './data',
        url: 'sqlite:data/idcard.sqlite',
        poolSize: 10,
      },
      redis: {
        url: undefined,
      },
      log: {
        level: 'info',
      },
    });
  });

  test('a variable that idcard does not know changes nothing', () => {
    expect(readConfig({ PATH: '/usr/bin', __proto__: 'x', TTL: '1' })).toEqual(readConfig({}));
  });

  test('the default public URL follows the port, and the default files follow the data folder', () => {
    expect(readConfig({ PORT: '8080', DATA_DIR: '/var/lib/idcard' })).toMatchObject({
      server: {
        publicUrl: 'http://localhost:8080',
      },
      keys: {
        keySetFile: '/var/lib/idcard/keys.json',
      },
      database: {
        url: 'sqlite:/var/lib/idcard/idcard.sqlite',
      },
    });
  });
});

test('every variable is read', () => {
  const config = readConfig({
    PUBLIC_URL: 'https://login.example.com',
    AUDIENCE: 'https://api.example.com',
    HOST: '0.0.0.0',
    PORT: '8443',
    WORKERS: '4',
    DATA_DIR: '/data',
    DATABASE_URL: 'sqlite:/elsewhere/users.sqlite',
    DATABASE_POOL_SIZE: '20',
    REDIS_URL: 'rediss://:secret@redis.example.com:6380/1',
    KEY_SET_FILE: '/run/keys.json',
    JWT_ALGORITHM: 'EdDSA',
    ACCESS_TOKEN_TTL_SECONDS: '60',
    REFRESH_TOKEN_IDLE_SECONDS: '3600',
    LOGIN_MAX_AGE_SECONDS: '7200',
    CLOCK_TOLERANCE_SECONDS: '0',
    REVOCATION_POLL_SECONDS: '10',
    JWKS_MAX_AGE_SECONDS: '60',
    REQUIRE_DPOP: 'true',
    ALLOWED_ORIGINS: 'https://app.example.com, http://localhost:5173/',
    ALLOWED_HEADERS: 'traceparent, Sentry-Trace,',
    TRUSTED_PROXIES: '10.0.0.0/8, fd00::/8,192.0.2.1',
    ARGON2_MEMORY_KIB: '65536',
    ARGON2_TIME_COST: '3',
    ARGON2_PARALLELISM: '4',
    PASSWORD_HASHES_AT_ONCE: '3',
    PASSWORD_QUEUE_SECONDS: '10',
    PASSWORD_MIN_LENGTH: '8',
    EMAIL_CLAIM: 'on',
    RATE_LIMITS: 'off',
    REGISTRATION: 'closed',
    DOCS_PAGE: 'off',
    LOG_LEVEL: 'debug',
    KEEP_ALIVE_SECONDS: '3600',
    SHUTDOWN_DELAY_SECONDS: '0',
  });

  expect(config).toEqual({
    server: {
      publicUrl: 'https://login.example.com',
      host: '0.0.0.0',
      port: 8443,
      workers: 4,
      allowedOrigins: ['https://app.example.com', 'http://localhost:5173'],
      allowedHeaders: ['traceparent', 'Sentry-Trace'],
      trustedProxies: ['10.0.0.0/8', 'fd00::/8', '192.0.2.1'],
      docsPage: false,
      isProduction: false,
      insecureHttp: false,
      keepAliveSeconds: 3600,
      shutdownDelaySeconds: 0,
    },
    tokens: {
      audience: 'https://api.example.com',
      accessTokenTtlSeconds: 60,
      refreshTokenIdleSeconds: 3600,
      loginMaxAgeSeconds: 7200,
      clockToleranceSeconds: 0,
      revocationPollSeconds: 10,
      requireDpop: true,
      emailClaim: true,
    },
    keys: {
      keySet: undefined,
      keySetFile: '/run/keys.json',
      algorithm: 'EdDSA',
      jwksMaxAgeSeconds: 60,
    },
    passwords: {
      argon2: { memoryKib: 65_536, timeCost: 3, parallelism: 4 },
      hashing: { atOnce: 3, queueSeconds: 10 },
      minLength: 8,
    },
    attempts: {
      rateLimits: false,
    },
    accounts: {
      registration: 'closed',
    },
    database: {
      dataDir: '/data',
      url: 'sqlite:/elsewhere/users.sqlite',
      poolSize: 20,
    },
    redis: {
      url: 'rediss://:secret@redis.example.com:6380/1',
    },
    log: {
      level: 'debug',
    },
  });
});

test('the page at /docs is off in production unless it is asked for', () => {
  const isOn = (env: Record<string, string>) => readConfig(env).server.docsPage;
  expect(isOn({ NODE_ENV: 'production' })).toBe(false);
  expect(isOn({ NODE_ENV: 'production', DOCS_PAGE: 'on' })).toBe(true);
  expect(isOn({ NODE_ENV: 'development' })).toBe(true);
  expect(isOn({ DOCS_PAGE: 'off' })).toBe(false);
});

test('as many workers as there are cores are had without counting them', () => {
  expect(readConfig({ WORKERS: 'auto' }).server.workers).toBe(availableParallelism());
});

test('an empty variable is one that is not set', () => {
  const names = ['PUBLIC_URL', 'PORT', 'KEY_SET', 'KEY_SET_FILE', 'DATABASE_URL', 'DATABASE_URL_FILE'];
  expect(readConfig(Object.fromEntries(names.map((name) => [name, ''])))).toEqual(readConfig({}));
  expect(readConfig({ KEY_SET: '{"keys":[]}', KEY_SET_FILE: '' }).keys.keySet).toBe('{"keys":[]}');
});

test('the public URL is kept as a browser spells its origin', () => {
  expect(readConfig({ PUBLIC_URL: 'HTTPS://Login.Example.com:443/' }).server.publicUrl).toBe(
    'https://login.example.com',
  );
});

describe('the path of the public URL', () => {
  test.each([
    ['https://example.com/auth', 'https://example.com/auth'],
    ['https://example.com/auth/', 'https://example.com/auth'],
    ['HTTPS://Example.com:443/Auth', 'https://example.com/Auth'],
    ['http://localhost:8080/a/b.c/~d_e-f', 'http://localhost:8080/a/b.c/~d_e-f'],
    ['https://example.com/v1x', 'https://example.com/v1x'],
    ['https://example.com/auth/v1', 'https://example.com/auth/v1'],
  ])('of %s is kept, without a slash at its end', (PUBLIC_URL, publicUrl) => {
    expect(readConfig({ PUBLIC_URL }).server.publicUrl).toBe(publicUrl);
  });

  const ADDRESS = 'PUBLIC_URL must be an address like https://login.example.com or https://example.com/auth';
  const PATH = '; its path is made of letters, digits, "-", "_", "~", single dots and single slashes.';
  const OWN = '; its path must not begin like one of idcard’s own, such as /v1 or /docs.';
  test.each([
    ['example.com/auth', '.'],
    ['https:example.com/auth', '.'],
    ['https:///auth', '.'],
    ['ftp://example.com/auth', '.'],
    ['https://*.example.com/auth', '.'],
    [`https://example.com/${'a'.repeat(240)}`, '.'],
    ['https://example.com/...', PATH], // in an address, two dots lead out of it
    ['https://example.com/a..b', PATH],
    ['https://ada@example.com/auth', ', without a user or a password.'],
    ['https://ada:secret@example.com/auth', ', without a user or a password.'],
    ['https://example.com/auth?a', ', without a query or a fragment.'],
    ['https://example.com/auth?', ', without a query or a fragment.'],
    ['https://example.com/auth#', ', without a query or a fragment.'],
    ['https://example.com/auth//', PATH],
    ['https://example.com//auth', PATH],
    ['https://example.com//', PATH],
    ['https://example.com/./auth', PATH],
    ['https://example.com/a/../auth', PATH],
    ['https://example.com/auth/..', PATH],
    ['https://example.com/%61uth', PATH],
    ['https://example.com/%2e%2e/auth', PATH],
    ['https://example.com/ä', PATH],
    ['https://example.com/:id', PATH],
    ['https://example.com/*', PATH],
    ['https://example.com/a;b', PATH],
    ['https://example.com/a b', PATH],
    ['https://example.com/a\tb', PATH],
    ['https://example.com\\a/b', PATH],
    ['https://example.com/v1', OWN],
    ['https://example.com/docs/', OWN],
    ['https://example.com/.well-known/auth', OWN],
  ])('of %s is refused, and the sentence says why', (PUBLIC_URL, reason) => {
    expect(refusal({ PUBLIC_URL })).toBe(ADDRESS + reason);
  });

  test('makes another issuer, which the audience may not be', () => {
    const PUBLIC_URL = 'https://example.com/auth/';
    expect(refusal({ PUBLIC_URL, AUDIENCE: 'https://example.com/auth' })).toMatch(/^AUDIENCE must differ/);
    expect(readConfig({ PUBLIC_URL, AUDIENCE: 'https://example.com' }).tokens.audience).toBe(
      'https://example.com',
    );
  });
});

describe('a value that is no good', () => {
  test.each([
    ['PUBLIC_URL', ['login.example.com', 'ftp://a.example', 'https://a.example/a//b', 'https://a.example?x']],
    ['AUDIENCE', ['a\nb', 'x'.repeat(257)]],
    ['HOST', ['local\u0000host', 'x'.repeat(256)]],
    ['PORT', ['65536', '-1', '80.5', ' 80', '0x50', '8e1', 'http', '９']],
    ['WORKERS', ['0', '257', '-1', '1.5', 'max', 'AUTO']],
    ['DATA_DIR', ['a\tb', 'x'.repeat(4097)]],
    ['DATABASE_URL', ['sqlite:a\nb']],
    ['DATABASE_POOL_SIZE', ['0', '1001', '10.5']],
    ['REDIS_URL', ['redis://a\nb', `redis://${'x'.repeat(4097)}`]],
    ['KEY_SET_FILE', ['a\u0007']],
    ['JWT_ALGORITHM', ['none', 'HS256', 'es256', 'RS512']],
    ['ACCESS_TOKEN_TTL_SECONDS', ['9', '86401', '5m', '300.0', '+300', '9'.repeat(400)]],
    ['REFRESH_TOKEN_IDLE_SECONDS', ['59', '31536001']],
    ['LOGIN_MAX_AGE_SECONDS', ['59', '31536001', 'Infinity']],
    ['CLOCK_TOLERANCE_SECONDS', ['61', '-5', 'NaN']],
    ['REVOCATION_POLL_SECONDS', ['0', '61']],
    [
      'ALLOWED_ORIGINS',
      [
        ...['*', 'null', 'https://*.example.com', 'https://a.example,https://b.example/x', '.example.com'],
        ...[
          'file://',
          'file://localhost',
          'data://x',
          'data:text/html,x',
          'javascript://localhost',
          'about:blank',
        ],
        ...[
          'about://blank',
          'blob:https://a.example/1',
          'blob://a',
          'ws://a.example',
          'wss://a.example',
          'ftp://a',
        ],
        ...['capacitor://', 'capacitor://localhost/', 'capacitor://localhost/x', 'capacitor://a@localhost'],
        ...[
          'capacitor://*',
          '*://localhost',
          'capacitor:localhost',
          'capacitor://localhost?x',
          'capacitor://local host',
        ],
        ...[
          'Capacitor://localhost',
          'capacitor://localhost:',
          'capacitor://localhost:080',
          'capacitor://localhost:65536',
        ],
        ...['view-source://a', 'filesystem://a', '//localhost', '://localhost', `app://${'x'.repeat(251)}`],
      ],
    ],
    [
      'ALLOWED_HEADERS',
      [
        ...['*', 'x*', 'a b', 'a:b', 'ä', 'traceparent,*', 'x'.repeat(101)],
        ...[
          'Cookie',
          'cookie2',
          'Host',
          'ORIGIN',
          'Referer',
          'Connection',
          'Content-Length',
          'Upgrade',
          'TE',
          'Via',
        ],
        ...['Sec-Fetch-Site', 'sec-websocket-key', 'Proxy-Authorization', 'Access-Control-Request-Method'],
        ...[
          'X-Forwarded-For',
          'X-Forwarded-Method',
          'x_forwarded_method',
          'X.Forwarded.Method',
          'X-Original-Method',
          'X-Original-URL',
        ],
        ...[
          'X-Auth-Subject',
          'X_Auth-Roles',
          'X~Auth+Subject',
          'Forwarded',
          'X-HTTP-Method-Override',
          'X-Method-Override',
          'X-Real-IP',
        ],
      ],
    ],
    [
      'TRUSTED_PROXIES',
      ['0.0.0.0/0', '::/0', '10.0.0.0/33', 'fd00::/129', '10.0.0.0/', '10/8', 'loopback', '1.2.3.4/8/8'],
    ],
    ['ARGON2_MEMORY_KIB', ['19455', '1048577']],
    ['ARGON2_TIME_COST', ['1', '17']],
    ['ARGON2_PARALLELISM', ['0', '17']],
    ['PASSWORD_HASHES_AT_ONCE', ['0', '1001', '1.5', 'auto']],
    ['PASSWORD_QUEUE_SECONDS', ['0', '61']],
    ['PASSWORD_MIN_LENGTH', ['7', '65']],
    ['RATE_LIMITS', ['true', 'OFF', '0']],
    ['EMAIL_CLAIM', ['true', 'ON', 'verified']],
    ['REGISTRATION', ['true', 'OPEN', 'close', 'invite', ' closed']],
    ['LOG_LEVEL', ['verbose', 'INFO']],
    ['DOCS_PAGE', ['true', 'ON']],
    ['KEEP_ALIVE_SECONDS', ['0', '86401', '1.5', '60s']],
    ['SHUTDOWN_DELAY_SECONDS', ['121', '-1']],
  ])('of %s is refused in one sentence that names it', (name, values) => {
    for (const value of values) {
      expect(refusal({ [name]: value })).toMatch(new RegExp(`^${name} must be [^\\n]+\\.$`));
    }
  });

  test.each([
    ['CLOCK_TOLERANCE_SECONDS', '60'],
    ['PORT', '65535'],
    ['ARGON2_MEMORY_KIB', '1048576'],
    ['PASSWORD_MIN_LENGTH', '64'],
    ['TRUSTED_PROXIES', '10.0.0.0/32,fd00::/128,0.0.0.0/1'],
    ['ALLOWED_ORIGINS', ' , https://a.example ,'],
    [
      'ALLOWED_HEADERS',
      'traceparent,tracestate,baggage,sentry-trace,X-Request-Id,X-Authors,X-Methodical,Secret,te-st',
    ],
  ])('is not the last good one of %s', (name, value) => {
    expect(() => readConfig({ [name]: value })).not.toThrow();
  });

  test('is not repeated, since it may be a secret in the wrong place', () => {
    const secret = 'hunter2-hunter2';
    const texts = [
      refusal({ PUBLIC_URL: `https://admin:${secret}@login.example.com` }),
      refusal({ DATABASE_URL: `sqlite:${secret}\n` }),
      refusal({ DATABASE_URL_FILE: join(folder, secret) }),
      refusal({ DATABASE_URL_FILE: fileWith(`sqlite:${secret}\u0007`) }),
      refusal({ JWT_ALGORITHM: secret }),
      refusal({ PORT: secret }),
      refusal({ KEY_SET: secret, KEY_SET_FILE: 'keys.json' }),
    ];
    for (const text of texts) expect(text).not.toContain(secret);
  });
});

test('ALLOWED_ORIGINS takes the origins of apps as they are written, and those of the web as browsers write them', () => {
  const apps = [
    ...[
      'capacitor://localhost',
      'ionic://localhost',
      'tauri://localhost',
      'app://.',
      'app://-',
      'app://my_app:8080',
    ],
    'chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb',
    'moz-extension://b9a7a3e1-5f8e-4e07-9d3f-1d1c0a8d0e11',
    'safari-web-extension://E3449EA7-EC25-4696-8E6F-7FB1B2C3D4E5',
  ];
  const web = 'HTTPS://App.Example.com:443,http://tauri.localhost/';
  expect(readConfig({ ALLOWED_ORIGINS: [...apps, web].join(',') }).server.allowedOrigins).toEqual([
    ...apps,
    'https://app.example.com',
    'http://tauri.localhost',
  ]);
});

describe('settings that contradict one another are refused together:', () => {
  test.each([
    [{ ACCESS_TOKEN_TTL_SECONDS: '61', REFRESH_TOKEN_IDLE_SECONDS: '60' }],
    [{ REFRESH_TOKEN_IDLE_SECONDS: '3601', LOGIN_MAX_AGE_SECONDS: '3600' }],
    [{ CLOCK_TOLERANCE_SECONDS: '11', ACCESS_TOKEN_TTL_SECONDS: '10' }],
    [{ KEY_SET: '{"keys":[]}', KEY_SET_FILE: 'keys.json' }],
    [{ DATABASE_URL: 'sqlite:a', DATABASE_URL_FILE: 'b' }],
    [{ REDIS_URL: 'redis://a', REDIS_URL_FILE: 'b' }],
    [{ AUDIENCE: 'https://login.example.com', PUBLIC_URL: 'https://login.example.com/' }],
    [{ AUDIENCE: 'http://localhost:8080', PORT: '8080' }],
    [{ AUDIENCE: 'http://localhost:8080/.well-known/revocations', PORT: '8080' }],
    [{ AUDIENCE: 'https://a.example/.well-known/revocations', PUBLIC_URL: 'https://a.example' }],
    [{ PORT: '0' }],
    [{ WORKERS: '2', DATABASE_URL: 'sqlite::memory:' }],
    [{ WORKERS: 'auto', DATABASE_URL: 'sqlite::memory:' }],
  ])('%o', (env) => {
    const message = refusal(env);
    for (const name of Object.keys(env)) expect(message).toContain(name);
    expect(message).toMatch(/^[^\n]+\.$/);
  });

  test('lifetimes that are equal contradict nothing', () => {
    const seconds = '60';
    const config = readConfig({
      ACCESS_TOKEN_TTL_SECONDS: seconds,
      REFRESH_TOKEN_IDLE_SECONDS: seconds,
      LOGIN_MAX_AGE_SECONDS: seconds,
      CLOCK_TOLERANCE_SECONDS: seconds,
    });
    expect(config.tokens.loginMaxAgeSeconds).toBe(60);
  });
});

describe('DATABASE_URL_FILE', () => {
  test('gives the URL that stands in the file, without the line break at its end', () => {
    const path = fileWith('sqlite:/secret/users.sqlite\r\n');
    expect(readConfig({ DATABASE_URL_FILE: path }).database.url).toBe('sqlite:/secret/users.sqlite');
  });

  test('that names no file is refused by its name', () => {
    expect(refusal({ DATABASE_URL_FILE: join(folder, 'missing') })).toBe(
      'DATABASE_URL_FILE names a file that cannot be read.',
    );
  });

  test('that names an empty file is refused', () => {
    expect(refusal({ DATABASE_URL_FILE: fileWith(' \n') })).toMatch(/^DATABASE_URL must be /);
  });
});

test('REDIS_URL_FILE gives the URL that stands in the file', () => {
  const path = fileWith('redis://:secret@redis.example.com\n');
  expect(readConfig({ REDIS_URL_FILE: path }).redis.url).toBe('redis://:secret@redis.example.com');
});

test('all settings that are wrong are told at once, each once', () => {
  const lines = (env: Record<string, string>) => refusal(env).split('\n');
  expect(
    lines({
      PORT: 'abc',
      ALLOWED_ORIGINS: 'https://a.example/x,https://b.example/y',
      REDIS_URL_FILE: '/nowhere/url',
      LOG_LEVEL: 'loud',
    }),
  ).toEqual([
    'REDIS_URL_FILE names a file that cannot be read.',
    'PORT must be a whole number from 0 to 65535.',
    expect.stringMatching(/^ALLOWED_ORIGINS must be a list of addresses .*\.$/),
    expect.stringMatching(/^LOG_LEVEL must be one of .*\.$/),
  ]);
  expect(
    lines({
      REVOCATION_POLL_SECONDS: '20',
      ACCESS_TOKEN_TTL_SECONDS: '10',
      KEY_SET: '{}',
      KEY_SET_FILE: 'x',
    }),
  ).toEqual([
    'REVOCATION_POLL_SECONDS (20) must not exceed ACCESS_TOKEN_TTL_SECONDS (10): change one of them.',
    'KEY_SET and KEY_SET_FILE are both set: remove one of them.',
  ]);
});
