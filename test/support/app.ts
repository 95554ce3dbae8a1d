import { Writable } from 'node:stream';
import { pino } from 'pino';
import { expect } from 'vitest';
import { buildApp, type IdcardApp } from '../../src/app.ts';
import { type Config, readConfig } from '../../src/config/config.ts';
import { openDatabase } from '../../src/database/index.ts';
import { createHasher, type Hasher } from '../../src/factors/passwords/hasher.ts';
import type { ClaimsFunction } from '../../src/logins.ts';
import { generateKeySet } from '../../src/proofs/keys/key-rotation.ts';
import type { PrivateJwkSet } from '../../src/proofs/keys/key-set.ts';
import { createDirectory, type Directory } from '../../src/users/directory.ts';
import { checkInjected } from './checked-answers.ts';
import { quicken } from './quick-hasher.ts';

/** 2026-11-23T12:00:00Z */
export const START = 1_795_435_200;

export const ADA = { email: 'ada@example.com', password: 'violet otters play chess' };
export const BOB = { email: 'bob@example.com', password: 'nine lazy clouds over Turin' };
/** Whose password no page of the documentation shows, so that it is good everywhere. */
export const CLEO = { email: 'cleo@example.com', password: 'seven quiet owls over Porto' };

export interface TestApp extends ReturnType<typeof exchangesWith> {
  app: IdcardApp;
  config: Config;
  directory: Directory;
  hasher: Hasher;
  /** The private keys, to forge with. */
  jwks: PrivateJwkSet;
  /** The injected time, to be moved by hand; delays end by the monotonic clock. */
  time: { now: number; passedMs: number };
  /** Every log line so far, parsed. */
  log: () => Record<string, unknown>[];
  /** Every log line so far, as written. */
  logText: () => string;
  /** These events, in this order and no other, are in the log since the last look; each a name, or its fields too. */
  expectEvents: (...events: (string | { event: string; [field: string]: unknown })[]) => void;
  close: () => Promise<void>;
}

export interface TestOptions {
  env?: Record<string, string>;
  jwks?: PrivateJwkSet;
  directory?: (directory: Directory) => Directory;
  customClaims?: ClaimsFunction;
  /** Whether passwords are hashed as they are in earnest: where the hashes themselves are tested, or their time. */
  hashesForReal?: boolean;
}

/** A whole app in memory, with a clock that stands still and a log that can be read. */
export async function createTestApp(options: TestOptions = {}): Promise<TestApp> {
  const { env = {}, jwks, directory: wrap, customClaims, hashesForReal } = options;
  const config = readConfig({ LOG_LEVEL: 'info', DATABASE_URL: 'sqlite::memory:', ...env });
  const time = { now: START, passedMs: 0 };
  const clock = () => time.now;
  const keys = jwks ?? generateKeySet(config.keys, START);
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const real = createDirectory(
    await openDatabase(config.database.url, { poolSize: config.database.poolSize }),
    clock,
  );
  const directory = wrap?.(real) ?? real;
  const hasher = createHasher(config.passwords.argon2);
  if (!hashesForReal) quicken(hasher, config.passwords.argon2);
  const app = await buildApp(
    { ...config, keys: { ...config.keys, keySet: JSON.stringify(keys) } },
    {
      directory,
      hasher,
      clock: { now: clock, issuing: clock, monotonicMs: () => time.passedMs, follow: async () => undefined },
      logger: pino({ level: config.log.level, base: null }, stream),
      pollsByHand: true,
      ...(customClaims && { customClaims }),
    },
  );
  if (!customClaims) checkInjected(app); // the document does not know them
  const log = () => lines.map((line) => JSON.parse(line));
  let seen = 0;
  return {
    app,
    ...exchangesWith(app),
    config,
    directory,
    hasher,
    jwks: keys,
    time,
    log,
    logText: () => lines.join(''),
    expectEvents(...events) {
      const unseen = log().slice(seen);
      seen += unseen.length;
      expect(unseen.filter(({ event }) => event !== undefined)).toMatchObject(
        events.map((event) => (typeof event === 'string' ? { event } : event)),
      );
    },
    close: () => app.close(),
  };
}

/** One request each, its body as JSON, and the answer. */
function exchangesWith(app: IdcardApp) {
  const sender =
    (method: 'POST' | 'PUT') =>
    (url: string, body?: object | string, headers: Record<string, string | string[]> = {}) =>
      app.inject({ method, url, headers, ...(body !== undefined && { body }) });
  return {
    get: (url: string, headers: Record<string, string | string[]> = {}) => app.inject({ url, headers }),
    post: sender('POST'),
    put: sender('PUT'),
  };
}

export interface TokenBody {
  access_token: string;
  token_type: string;
  expires_in: number;
  refresh_token: string;
  refresh_expires_in: number;
  scope: string;
  /** Of a login alone. */
  device_token?: string;
}

/** Registers a user straight in the directory; one hash instead of a request. */
export async function addUser(
  { directory, hasher }: TestApp,
  user: { email: string; password: string; roles?: string[] } = ADA,
) {
  const passwordHash = await hasher.hash(user.password);
  return directory.add({ email: user.email, passwordHash, roles: user.roles ?? [] });
}

/** Logs in by bearer. */
export async function logIn({ post }: TestApp, { email, password } = ADA): Promise<TokenBody> {
  const response = await post('/v1/login', { email, password });
  if (response.statusCode !== 200) throw new Error(`login answered ${response.statusCode}: ${response.body}`);
  return response.json();
}

/** Logs in by cookie; the Cookie header that a browser would send from now on. */
export async function logInWithCookies({ post }: TestApp, { email, password } = ADA): Promise<string> {
  const response = await post('/v1/login', { email, password, transport: 'cookie' });
  if (response.statusCode !== 204) throw new Error(`login answered ${response.statusCode}: ${response.body}`);
  return response.cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
}

/** Changes Ada's password to Bob's, unless others are given. */
export function changePassword(
  { put }: TestApp,
  accessToken: string,
  { from = ADA.password, to = BOB.password } = {},
) {
  return put('/v1/me/password', { current_password: from, new_password: to }, bearer(accessToken));
}

export function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` };
}

/** A part of a token, unverified. */
export function decode(token: string, part: 0 | 1 = 1): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[part] ?? '', 'base64url').toString());
}
