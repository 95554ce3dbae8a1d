import { type Attempts, createAttempts } from './attempts/attempts.ts';
import { createHashQueue } from './attempts/hash-queue.ts';
import { openAttemptLimits } from './attempts/open-limits.ts';
import type { AuthenticationOptions } from './authentication.ts';
import { type Clock, createFollowingClock } from './base/clock.ts';
import { createLogger } from './base/logger.ts';
import { isUnprotected } from './base/this-machine.ts';
import type { Config } from './config/config.ts';
import { createEvents, type Events } from './events/events.ts';
import { logEvents } from './events/log.ts';
import { createHasher } from './factors/passwords/hasher.ts';
import { createLazyPasswordPolicy } from './factors/passwords/lazy-policy.ts';
import { createPasswords, type Passwords } from './factors/passwords/passwords.ts';
import { createServer } from './http/server.ts';
import { createProxyMatcher } from './http/trusted-proxies.ts';
import type { App } from './http/zod.ts';
import { createLogins, type Logins } from './logins.ts';
import type { LockedRoutes, Parts } from './parts.ts';
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
import { createRevocationFeed, keepSecondsOf, type RevocationFeed } from './revocation-feed.ts';
import { openStores } from './stores.ts';
import { createTransports } from './transports/index.ts';
import type { UserDirectory } from './users/user-directory.ts';

/** Every room, built once. The routes get it. */
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
  /** Closes whatever was opened. */
  close(): Promise<void>;
}

/** Set by the process, read by `GET /readyz`. */
export interface Lifecycle {
  stopping: boolean;
}

/** How many verified tokens a process remembers. Each takes about 1.5 kB. */
const VERIFIED_TOKENS = 100_000;

/**
 * Builds every room from the configuration, but for the parts that are brought.
 * @throws StartupError
 */
export async function buildHouse(config: Config, parts: Parts): Promise<House> {
  const { publicUrl, trustedProxies } = config.server;
  const logger = parts.logger ?? (await createLogger(config.log));
  const events = createEvents(logEvents(logger));
  if (isUnprotected(publicUrl)) events.tell('http.insecure', {});
  const isProxy = trustedProxies.length > 0 ? createProxyMatcher(trustedProxies) : undefined;
  const app = createServer(config.server, logger, events, isProxy);
  const toClose = new AsyncDisposableStack();
  try {
    const opened = await open(config, parts, events, toClose);
    if (parts.customClaims) await probeClaims(parts.customClaims);
    return await furnish(
      config,
      parts,
      { app, events, isProxy, close: () => toClose.disposeAsync() },
      opened,
    );
  } catch (error) {
    await toClose.disposeAsync(); // a program that embeds idcard goes on without it
    throw error;
  }
}

/** Opens what is outside of this process: keys, users, counts, other processes. */
async function open(config: Config, parts: Parts, events: Events, toClose: AsyncDisposableStack) {
  const { clock: clocks = createFollowingClock((seconds) => events.tell('clock.corrected', { seconds })) } =
    parts;
  const brought = parts.directory;
  if (brought) toClose.defer(() => brought.close()); // whatever else fails
  const { keySet, directory } = brought
    ? { keySet: loadKeySet(config.keys, clocks.now), directory: brought }
    : await openStores(config, clocks, events);
  if (!brought) toClose.defer(() => directory.close());
  const limits = await openAttemptLimits(config, events, clocks.monotonicMs, parts.primaryLimits);
  toClose.defer(async () => limits.close?.());
  const keepSeconds = keepSecondsOf(config.tokens);
  const revocations = createRevocations(keepSeconds);
  const lifecycle = { stopping: false };
  const feed = createRevocationFeed({
    config: config.tokens,
    directory,
    revocations,
    keepSeconds,
    clock: clocks.now,
    issuingClock: clocks.issuing,
    events,
    siblings: parts.siblings,
    isStopping: () => lifecycle.stopping,
    pollsByHand: parts.pollsByHand,
  });
  toClose.defer(async () => feed.stop());
  return { clock: clocks.now, keySet, limits, keepSeconds, revocations, lifecycle, feed };
}

async function furnish(
  config: Config,
  parts: Parts,
  { app, events, isProxy, close }: Pick<House, 'app' | 'events' | 'isProxy' | 'close'>,
  { clock, keySet, limits, keepSeconds, revocations, lifecycle, feed }: Awaited<ReturnType<typeof open>>,
): Promise<House> {
  const { publicUrl: issuer, allowedOrigins } = config.server;
  const { tokens: settings, passwords } = config;
  const { requireDpop, loginMaxAgeSeconds } = settings;
  const origins = [new URL(issuer).origin, ...allowedOrigins];
  const transports = createTransports(issuer, origins);
  const jwt = await registerJwt(app, keySet, tokenProfiles(issuer, settings));
  const verifiedTokens = createVerifiedTokens(VERIFIED_TOKENS);
  const tokens = createTokens({ issuer, settings, keySet, jwt, clock, verifiedTokens, revocations });
  const dpop = createDpop({ publicUrl: issuer, keySet, clock });
  const guard = { requireDpop, tokens, dpop };
  const hasher = parts.hasher ?? createHasher(passwords.argon2);
  const list = { issuer, settings, keySet, jwt, clock, revocations, keepSeconds };

  return {
    app,
    config,
    clock,
    events,
    keySet,
    directory: feed.directory, // tokens that the routes void are void here at once
    passwords: createPasswords(hasher, createLazyPasswordPolicy(passwords, issuer)),
    attempts: createAttempts(limits, createHashQueue(passwords.hashing)),
    logins: createLogins({
      tokens,
      dpop,
      binding: createBinding(dpop, requireDpop),
      transports,
      deviceTokens: createDeviceTokens({ settings, keySet, clock }),
      deviceTokenTtlSeconds: loginMaxAgeSeconds,
      events,
      now: feed.issuingClock,
      customClaims: parts.customClaims,
    }),
    guards: {
      ofRequests: { ...guard, transports },
      ofProxies: { ...guard, transports: createTransports(issuer, origins, { isProxy }) },
    },
    feed,
    revocationList: createRevocationList(list),
    isProxy,
    hasCustomClaims: parts.customClaims !== undefined,
    lockedRoutes: parts.lockedRoutes,
    lifecycle,
    close,
  };
}
