import type { FastifyBaseLogger } from 'fastify';
import { type Attempts, createAttempts } from './attempts/attempts.ts';
import { createHashQueue } from './attempts/hash-queue.ts';
import type { AttemptLimits } from './attempts/limits.ts';
import { openAttemptLimits } from './attempts/open-limits.ts';
import type { AuthenticationOptions } from './authentication.ts';
import { type Clock, createFollowingClock, type FollowingClock } from './base/clock.ts';
import { isUnprotected } from './base/this-machine.ts';
import type { Config } from './config/config.ts';
import { createEvents, type Events } from './events/events.ts';
import { logEvents } from './events/log.ts';
import { createHasher, type Hasher } from './factors/passwords/hasher.ts';
import { createLazyPasswordPolicy } from './factors/passwords/lazy-policy.ts';
import { createPasswords, type Passwords } from './factors/passwords/passwords.ts';
import { createServer } from './http/server.ts';
import { createProxyMatcher } from './http/trusted-proxies.ts';
import type { App } from './http/zod.ts';
import { type ClaimsFunction, createLogins, type Logins } from './logins.ts';
import { probeClaims } from './probe-claims.ts';
import { createBinding } from './proofs/dpop/binding.ts';
import { createDpop } from './proofs/dpop/dpop.ts';
import type { KeySet } from './proofs/keys/key-set.ts';
import { loadKeySet } from './proofs/keys/load-key-set.ts';
import { createRevocationList, type RevocationList } from './proofs/revocations/revocation-list.ts';
import { createRevocations } from './proofs/revocations/revocations.ts';
import { createDeviceTokens } from './proofs/tokens/device-tokens.ts';
import { registerJwt } from './proofs/tokens/jwt.ts';
import { tokenProfiles } from './proofs/tokens/profiles.ts';
import { createTokens } from './proofs/tokens/tokens.ts';
import { createVerifiedTokens } from './proofs/tokens/verified-tokens.ts';
import {
  createRevocationFeed,
  keepSecondsOf,
  type RevocationFeed,
  type Siblings,
} from './revocation-feed.ts';
import { createLogger } from './serve/log.ts';
import { openStores } from './stores.ts';
import { createTransports } from './transports/index.ts';
import type { UserDirectory } from './users/user-directory.ts';

/** What a program that embeds idcard may bring. */
export interface Extensions {
  /** Where the users are, instead of the database that the configuration names. It is closed with the app. */
  directory?: UserDirectory;
  /** Claims of access tokens beside the standard ones, of a user who logs in or renews. */
  customClaims?: ClaimsFunction;
  /** Routes of one's own behind the login: each has `request.claims`. */
  lockedRoutes?: LockedRoutes;
  /** A pino, or what is like it; lines of JSON on standard output when absent. */
  logger?: FastifyBaseLogger;
}

/** Registers routes, each of which has `request.claims`: the claims of a verified access token. */
export type LockedRoutes = (locked: App) => unknown;

/** What may stand in place of what the configuration describes: of a program, of a worker, of a test. */
export interface Parts extends Extensions {
  hasher?: Hasher;
  clock?: FollowingClock;
  /** In a worker: the limits that the primary holds. */
  primaryLimits?: AttemptLimits;
  siblings?: Siblings;
  /** For tests, whose clock stands still: after the first poll nothing polls but `pollRevocations`. */
  pollsByHand?: boolean;
}

/** Every room, built once. Routes are given it. */
export interface House {
  /** The server, without a route yet. */
  app: App;
  config: Config;
  clock: Clock;
  events: Events;
  keySet: KeySet;
  directory: UserDirectory;
  passwords: Passwords;
  attempts: Attempts;
  logins: Logins;
  /** What `authentication` needs, for requests and for those that proxies make on behalf of others. */
  guards: Record<'ofRequests' | 'ofProxies', AuthenticationOptions>;
  feed: RevocationFeed;
  revocationList: RevocationList;
  /** Whether a trusted proxy is at an address; absent where there are none. */
  isProxy: ((address: string) => boolean) | undefined;
  hasCustomClaims: boolean;
  lockedRoutes: LockedRoutes | undefined;
  lifecycle: Lifecycle;
  /** Closes what was opened. */
  close(): Promise<void>;
}

/** Set by the process, read by `GET /readyz`. */
export interface Lifecycle {
  stopping: boolean;
}

/** How many verified tokens a process remembers; at about 1.5 kB each. */
const VERIFIED_TOKENS = 100_000;

/**
 * Builds every room from the configuration, but for the parts that are brought.
 * @throws StartupError
 */
export async function buildHouse(config: Config, parts: Parts): Promise<House> {
  const { publicUrl: issuer, allowedOrigins, trustedProxies } = config.server;
  const { tokens: settings } = config;
  const logger = parts.logger ?? (await createLogger(config.log));
  const events = createEvents(logEvents(logger));
  const isProxy = trustedProxies.length > 0 ? createProxyMatcher(trustedProxies) : undefined;
  if (isUnprotected(issuer)) events.tell('http.insecure', {});
  if (parts.customClaims) await probeClaims(parts.customClaims);
  const app = createServer(config.server, logger, events, isProxy);
  const opened = new AsyncDisposableStack();
  try {
    const { clock: clocks = createFollowingClock((seconds) => events.tell('clock.corrected', { seconds })) } =
      parts;
    const clock = clocks.now;
    const stores = parts.directory
      ? { keySet: loadKeySet(config.keys, clock), directory: parts.directory }
      : await openStores(config, clocks, events);
    opened.defer(() => stores.directory.close());
    const { primaryLimits } = parts;
    const attemptLimits = await openAttemptLimits(config, events, clocks.monotonicMs, primaryLimits);
    opened.defer(async () => attemptLimits.close?.());

    const { keySet } = stores;
    const lifecycle = { stopping: false };
    const keepSeconds = keepSecondsOf(settings);
    const revocations = createRevocations(keepSeconds);
    const feed = createRevocationFeed({
      config: settings,
      directory: stores.directory,
      revocations,
      clock,
      issuingClock: clocks.issuing,
      events,
      siblings: parts.siblings,
      isStopping: () => lifecycle.stopping,
      pollsByHand: parts.pollsByHand,
    });
    opened.defer(async () => feed.stop());
    const { directory } = feed; // what the routes void is void here at once
    const jwt = await registerJwt(app, keySet, tokenProfiles(issuer, settings));
    const verifiedTokens = createVerifiedTokens(VERIFIED_TOKENS);
    const tokens = createTokens({ issuer, settings, keySet, jwt, clock, verifiedTokens, revocations });
    const dpop = createDpop({ publicUrl: issuer, keySet, clock });
    const origins = [new URL(issuer).origin, ...allowedOrigins];
    const transports = createTransports(issuer, origins);
    const { requireDpop } = settings;
    const guard = { requireDpop, tokens, dpop };
    const hasher = parts.hasher ?? createHasher(config.passwords.argon2);

    return {
      app,
      config,
      clock,
      events,
      keySet,
      directory,
      passwords: createPasswords(hasher, createLazyPasswordPolicy(config.passwords, issuer)),
      attempts: createAttempts(attemptLimits, createHashQueue(config.passwords.hashing)),
      logins: createLogins({
        tokens,
        dpop,
        binding: createBinding(dpop, requireDpop),
        transports,
        deviceTokens: createDeviceTokens({ settings, keySet, clock }),
        deviceTokenTtlSeconds: settings.loginMaxAgeSeconds,
        events,
        now: feed.issuingClock,
        customClaims: parts.customClaims,
      }),
      guards: {
        ofRequests: { ...guard, transports },
        ofProxies: { ...guard, transports: createTransports(issuer, origins, { isProxy }) },
      },
      feed,
      revocationList: createRevocationList({
        issuer,
        settings,
        keySet,
        jwt,
        clock,
        revocations,
        keepSeconds,
      }),
      isProxy,
      hasCustomClaims: parts.customClaims !== undefined,
      lockedRoutes: parts.lockedRoutes,
      lifecycle,
      close: () => opened.disposeAsync(),
    };
  } catch (error) {
    await opened.disposeAsync(); // who embeds it goes on without
    throw error;
  }
}
