/** The time in whole seconds since 1970, as JWTs count it (NumericDate, RFC 7519 §2). Injected everywhere. */
export type Clock = () => number;

export const systemClock: Clock = () => Math.floor(Date.now() / 1000);

/** Milliseconds since the process began, by a clock that nobody can set. */
export const monotonicMs = () => performance.now();

/** The system's clock until it is told to follow another one. */
export interface FollowingClock {
  /**
   * For whatever ends: the later of two times, each counted from the last answer, one by the monotonic clock and one by
   * the system's. The monotonic clock stands still while the machine is suspended, and tokens expire meanwhile.
   */
  now: Clock;
  /** For what a token says of its beginning: the monotonic time, so that no step of the system's clock makes it future. */
  issuing: Clock;
  /**
   * Asks the other clock. Never throws: without an answer it runs on as before.
   * @param askMs answers with milliseconds since 1970; it is also asked at once when the system's clock has leapt ahead
   */
  follow(askMs: () => Promise<number>): Promise<void>;
}

/** Smaller differences are lost in the time that an answer takes. */
const NOTABLE_MS = 1000;

/**
 * A system's clock that is wrong all the time changes nothing, nor does one that is set back. One that leaps ahead may tell
 * of a suspended machine: it counts until the next answer.
 * @param onDeviation told by how many seconds the system's clock is behind, when that is notable or has changed notably
 */
export function createFollowingClock(
  onDeviation: (seconds: number) => void = () => undefined,
): FollowingClock {
  /** Milliseconds since 1970 at the zero of the monotonic clock; undefined until there was an answer. */
  let zeroMs: number | undefined;
  /** The same by the system's clock, as it was at the last answer. */
  let systemZeroMs = 0;
  let toldMs = 0;
  let askAtOnce: (() => void) | undefined;

  async function follow(askMs: () => Promise<number>): Promise<void> {
    const asked = readBoth();
    const answerMs = await askMs().catch(() => undefined);
    const answered = readBoth();
    if (answerMs === undefined) return;
    // By both clocks: an answer that was on its way while the machine was suspended is an old one.
    const tookMs = Math.max(answered.monotonicMs - asked.monotonicMs, answered.systemMs - asked.systemMs);
    if (tookMs > NOTABLE_MS && zeroMs !== undefined) return;
    const rightZeroMs = answerMs - (asked.monotonicMs + answered.monotonicMs) / 2;
    if (zeroMs === undefined || Math.abs(rightZeroMs - zeroMs) > NOTABLE_MS) zeroMs = rightZeroMs;
    systemZeroMs = answered.systemMs - answered.monotonicMs;
    askAtOnce = () => void follow(askMs);
    const behindMs = zeroMs - systemZeroMs;
    if (Math.abs(behindMs - toldMs) <= NOTABLE_MS) return;
    toldMs = behindMs;
    onDeviation(Math.round(behindMs / 1000));
  }

  return {
    now() {
      if (zeroMs === undefined) return systemClock();
      const monotonicMs = performance.now();
      const leapMs = Date.now() - monotonicMs - systemZeroMs;
      if (leapMs > NOTABLE_MS && askAtOnce) {
        askAtOnce();
        askAtOnce = undefined; // until there is an answer; the next one comes with the next poll
      }
      return Math.floor((zeroMs + monotonicMs + Math.max(0, leapMs)) / 1000);
    },
    issuing: () => (zeroMs === undefined ? systemClock() : Math.floor((zeroMs + performance.now()) / 1000)),
    follow,
  };
}

function readBoth(): { monotonicMs: number; systemMs: number } {
  return { monotonicMs: performance.now(), systemMs: Date.now() };
}
