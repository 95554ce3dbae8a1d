import type { Clock } from './base/clock.ts';
import { inTime } from './base/in-time.ts';
import type { Config } from './config/config.ts';
import type { Events } from './events/events.ts';
import type { Revocation, Revocations } from './proofs/revocations/revocations.ts';
import type { UserDirectory } from './users/user-directory.ts';
import { tellWhenVoided } from './users/voiding.ts';

/** Brings raised token versions from the directory into memory, where verification looks. */
export interface RevocationFeed {
  /** The directory. What this replica voids through it is void here at once. */
  directory: UserDirectory;
  /** The given clock for new tokens. The feed remembers the latest time that the clock said. */
  issuingClock: Clock;
  /** Asks the directory once. Never throws: when it is away, the list stays as it is. */
  poll(): Promise<void>;
  /** Polls from now on, until `stop`. */
  start(): void;
  stop(): void;
  /** Seconds since the directory last answered. */
  ageSeconds(): number;
  /** Whether the directory has answered since the start: until then nobody knows whether this replica can reach it. */
  hasAnswered(): boolean;
  /** Whether the directory answered lately, so that a revocation takes one poll. */
  isCurrent(): boolean;
}

/** Other processes on this machine, which hear of a revocation before they poll. */
export interface Siblings {
  tell(revocation: Revocation): void;
  onTold(listener: (revocation: Revocation) => void): void;
}

/** How much earlier than it can be read a change may be dated: clocks differ, and some transactions commit late. */
const OVERLAP_SECONDS = 60;

/** How many polls may pass without an answer: a directory that is stopped and not closed never answers. */
const STALE_AFTER_POLLS = 3;

type Settings = Config['tokens'];

type Dependencies = {
  config: Settings;
  directory: UserDirectory;
  revocations: Revocations;
  /** How long a revocation matters: `keepSecondsOf`. */
  keepSeconds: number;
  clock: Clock;
  /** The clock by which new tokens are issued. */
  issuingClock: Clock;
  events: Events;
  siblings?: Siblings | undefined;
  /** For tests, whose clock stands still: nothing polls but `poll`. */
  pollsByHand?: boolean | undefined;
  /** Whether the app is stopping: then a closed directory is no failure. */
  isStopping?: () => boolean;
};

/**
 * How long a revocation matters after its date: until the last token has expired whose user was read before the change
 * could be read. The clock of such a token may be ahead by the tolerance.
 */
export function keepSecondsOf({ accessTokenTtlSeconds, clockToleranceSeconds }: Settings): number {
  return accessTokenTtlSeconds + clockToleranceSeconds + OVERLAP_SECONDS;
}

export function createRevocationFeed(dependencies: Dependencies): RevocationFeed {
  const { config, directory, revocations, clock, events, siblings, isStopping, pollsByHand, keepSeconds } =
    dependencies;
  const { revocationPollSeconds: pollSeconds, accessTokenTtlSeconds } = config;
  let polledAt = clock();
  let answeredAt = polledAt - keepSeconds; // so that the first poll asks for everything that matters
  let wasAnswered = true;
  let hasAnswered = false;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  let latestIssueSeconds = Number.NEGATIVE_INFINITY;

  siblings?.onTold((revocation) => add([revocation]));

  function issuingClock(): number {
    const now = dependencies.issuingClock();
    latestIssueSeconds = Math.max(latestIssueSeconds, now);
    return now;
  }

  /**
   * A clock that was set back dates a revocation before the tokens that it voids, and such tokens may have their whole
   * life left. So the revocation is dated with the latest token.
   */
  function add(raised: readonly Revocation[]): void {
    const isBehind = latestIssueSeconds > clock() + config.clockToleranceSeconds;
    const earliest = isBehind ? latestIssueSeconds - (keepSeconds - accessTokenTtlSeconds) : 0;
    revocations.add(
      raised.map((each) => ({ ...each, raisedAtSeconds: Math.max(each.raisedAtSeconds, earliest) })),
    );
  }

  async function poll(): Promise<void> {
    const now = clock();
    issuingClock(); // remembers the time: another replica may have issued a token at it
    const before = polledAt;
    polledAt = now;
    // While the clock was ahead, revocations were forgotten that matter now: the poll asks for all of them again.
    if (now < before) answeredAt = Math.min(answeredAt, now - keepSeconds);
    try {
      const since = Math.max(answeredAt, now - keepSeconds) - OVERLAP_SECONDS;
      // The directory of a program may never answer, and must be asked again all the same.
      const raised = await inTime(STALE_AFTER_POLLS * pollSeconds * 1000, directory.raisedSince(since));
      add(raised.filter(({ raisedAtSeconds }) => now < raisedAtSeconds + keepSeconds));
      revocations.prune(Math.min(now, before)); // the earlier time: a clock that is ahead for one poll makes nothing forgotten
      answeredAt = now;
      hasAnswered = true;
      if (!wasAnswered) events.tell('revocations.current', {});
      wasAnswered = true;
    } catch (err) {
      if (isStopping?.()) return;
      // Told once: from now on a revocation takes as long as an access token lives.
      if (wasAnswered) events.tell('revocations.stale', { bound_seconds: accessTokenTtlSeconds, err });
      wasAnswered = false;
    }
  }

  function scheduleNext(): void {
    timer = setTimeout(async () => {
      await poll();
      if (!isStopped) scheduleNext();
    }, pollSeconds * 1000);
    timer.unref(); // the timer keeps no process alive
  }

  /** A clock that was set back must not make an old answer look new. */
  function ageSeconds(): number {
    return Math.abs(clock() - answeredAt);
  }

  return {
    directory: tellWhenVoided(directory, clock, (revocation) => {
      add([revocation]);
      siblings?.tell(revocation);
    }),
    issuingClock,
    poll,
    start() {
      if (!isStopped && !pollsByHand) scheduleNext();
    },
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
    ageSeconds,
    hasAnswered: () => hasAnswered,
    isCurrent: () => ageSeconds() <= STALE_AFTER_POLLS * pollSeconds,
  };
}
