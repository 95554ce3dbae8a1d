import type { FastifyBaseLogger } from 'fastify';
import type { Clock } from './clock.ts';
import type { Revocation, Revocations } from './tokens/revocations.ts';
import type { UserDirectory } from './users/directory.ts';

/** Brings raised token versions from the directory into memory, where verification looks. */
export interface RevocationFeed {
  /** The directory, such that what this replica itself voids is void here at once. */
  directory: UserDirectory;
  /** Asks the directory once. Never throws: when it is away, the list stays as it is. */
  poll(): Promise<void>;
  /** Polls from now on, until `stop`. */
  start(): void;
  stop(): void;
  /** Seconds since the directory last answered. */
  ageSeconds(): number;
  /** Whether the directory answered lately, so that a revocation takes one poll. */
  isCurrent(): boolean;
}

/** Other processes on this machine, which hear of a revocation before they poll. */
export interface Siblings {
  tell(revocation: Revocation): void;
  onTold(listener: (revocation: Revocation) => void): void;
}

/** How far back each poll looks beyond the last one: for clocks that differ, and changes committed late. */
const OVERLAP_SECONDS = 60;

/** A directory that is stopped and not closed answers nothing at all. */
const STALE_AFTER_POLLS = 3;

type Dependencies = {
  directory: UserDirectory;
  revocations: Revocations;
  /** How long an entry matters: as long as an access token lives. */
  keepSeconds: number;
  pollSeconds: number;
  clock: Clock;
  logger: FastifyBaseLogger;
  siblings?: Siblings | undefined;
};

export function createRevocationFeed(dependencies: Dependencies): RevocationFeed {
  const { directory, revocations, keepSeconds, pollSeconds, clock, logger, siblings } = dependencies;
  let answeredAt = clock() - keepSeconds; // so that the first poll asks for everything that matters
  let wasAnswered = true;
  let timer: NodeJS.Timeout | undefined;

  siblings?.onTold((revocation) => revocations.add([revocation]));

  async function poll(): Promise<void> {
    const now = clock();
    try {
      const since = Math.max(answeredAt, now - keepSeconds) - OVERLAP_SECONDS;
      const raised = await directory.raisedSince(since);
      revocations.add(raised.filter(({ raisedAtSeconds }) => now < raisedAtSeconds + keepSeconds));
      answeredAt = now;
      if (!wasAnswered) logger.info({ event: 'revocations.current' });
      wasAnswered = true;
    } catch (err) {
      // Told once: from now on a revocation takes as long as an access token lives.
      if (wasAnswered) logger.warn({ event: 'revocations.stale', bound_seconds: keepSeconds, err });
      wasAnswered = false;
    }
    revocations.prune(clock());
  }

  function scheduleNext(): void {
    timer = setTimeout(async () => {
      await poll();
      if (timer) scheduleNext();
    }, pollSeconds * 1000);
    timer.unref();
  }

  return {
    directory: {
      ...directory,
      async updateAndVoidTokens(id, changes, condition) {
        const user = await directory.updateAndVoidTokens(id, changes, condition);
        if (!user) return undefined;
        const revocation = { sub: id, ver: user.tokenVersion, raisedAtSeconds: clock() };
        revocations.add([revocation]);
        siblings?.tell(revocation);
        return user;
      },
    },
    poll,
    start: scheduleNext,
    stop() {
      clearTimeout(timer);
      timer = undefined;
    },
    ageSeconds: () => clock() - answeredAt,
    isCurrent: () => clock() - answeredAt <= STALE_AFTER_POLLS * pollSeconds,
  };
}
