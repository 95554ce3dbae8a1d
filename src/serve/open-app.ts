import type { FastifyBaseLogger } from 'fastify';
import { type AppDependencies, buildApp, type IdcardApp, type LockedRoutes } from '../app.ts';
import type { AttemptLimits } from '../attempts/limits.ts';
import { openAttemptLimits } from '../attempts/open-limits.ts';
import { createFollowingClock } from '../base/clock.ts';
import { isUnprotected } from '../base/this-machine.ts';
import { type Config, refuseUndecided } from '../config/config.ts';
import { createEvents } from '../events/events.ts';
import { logEvents } from '../events/log.ts';
import { createHasher } from '../factors/passwords/hasher.ts';
import { loadKeySet } from '../proofs/keys/load-key-set.ts';
import type { ClaimsFunction } from '../routes/dependencies.ts';
import type { UserDirectory } from '../users/user-directory.ts';
import { createLogger } from './log.ts';
import { openStores } from './open-stores.ts';

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

export interface Replacements extends Extensions, Partial<Pick<AppDependencies, 'lifecycle' | 'siblings'>> {
  /** The limits that the primary holds, in one of its workers. */
  primaryLimits?: AttemptLimits;
}

/**
 * The app of a configuration, with its keys, its database and its limits opened; closing it closes them. It does not
 * listen yet, and takes routes of one's own until it does.
 * @throws StartupError
 */
export async function openApp(config: Config, replacements: Replacements = {}): Promise<IdcardApp> {
  refuseUndecided(config);
  const { logger = await createLogger(config), primaryLimits, ...others } = replacements;
  if (isUnprotected(config.publicUrl)) logger.warn({ event: 'http.insecure' });
  const clock = createFollowingClock((seconds) => logger.warn({ event: 'clock.corrected', seconds }));
  const opened = new AsyncDisposableStack();
  try {
    const { keySet, directory } = replacements.directory
      ? { keySet: loadKeySet(config, clock.now), directory: replacements.directory }
      : await openStores(config, clock, logger);
    opened.defer(() => directory.close());
    const events = createEvents(logEvents(logger));
    const attemptLimits = await openAttemptLimits(config, events, { primaryLimits });
    opened.defer(async () => attemptLimits.close?.());
    const app = await buildApp({
      config,
      keySet,
      hasher: createHasher(config.argon2),
      clock: clock.now,
      issuingClock: clock.issuing,
      logger,
      lifecycle: { stopping: false },
      ...others,
      directory,
      attemptLimits,
    });
    app.addHook('onClose', () => opened.disposeAsync());
    return app;
  } catch (error) {
    await opened.disposeAsync(); // who embeds it goes on without
    throw error;
  }
}
