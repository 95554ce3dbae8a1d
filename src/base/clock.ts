/** The time in whole seconds since 1970, as JWTs count it (NumericDate, RFC 7519 §2). Injected everywhere. */
export type Clock = () => number;

export const systemClock: Clock = () => Math.floor(Date.now() / 1000);

/** Milliseconds since the process began, by a clock that nobody can set. */
export const monotonicMs = () => performance.now();

/** The system's clock until it is told to follow another one. */
export interface FollowingClock {
  /**
   * The time by which tokens expire. Two clocks count from the last answer, the monotonic one and the system's; the later
   * time counts. The monotonic clock stands still while the machine is suspended, and tokens expire meanwhile.
   */
  now: Clock;
  /** The time at which tokens begin: by the monotonic clock, so that no step of the system's clock dates a token in the future. */
  issuing: Clock;
  /** For delays: milliseconds since the process began. */
  monotonicMs: () => number;
  /**
   * Asks the other clock. Never throws: without an answer this clock runs on as before.
   * @param askMs answers with milliseconds since 1970; it is called again at once when the system's clock has leapt ahead
   */
  follow(askMs: () => Promise<number>): Promise<void>;
}

/** Smaller differences are lost in the time that an answer takes. */
const NOTABLE_MS = 1000;

/**
 * A system's clock that is always wrong changes nothing, and neither does one that is set back. A system's clock that leaps
 * ahead may tell of a suspended machine, so its time counts until the next answer.
 * @param onDeviation told by how many seconds the system's clock is behind, when that is notable or has changed notably
 */
export function createFollowingClock(
  onDeviation: (seconds: number) => void = () => undefined,
): FollowingClock {
  /** Milliseconds since 1970 at the zero of the monotonic clock; undefined until there was an answer. */
  let zeroMs: number | undefined;
  /** Milliseconds since 1970 at that zero by the system's clock, at the last answer. */
  let systemZeroMs = 0;
  let toldMs = 0;
  let askAtOnce: (() => void) | undefined;

  async function follow(askMs: () => Promise<number>): Promise<void> {
    const asked = readBoth();
    const answerMs = await askMs().catch(() => undefined);
    const answered = readBoth();
    if (answerMs === undefined) return;
    // By both clocks: the monotonic one does not count a suspension, which makes the answer an old one.
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
        askAtOnce = undefined; // one question is enough; the next poll asks again
      }
      return Math.floor((zeroMs + monotonicMs + Math.max(0, leapMs)) / 1000);
    },
    issuing: () => (zeroMs === undefined ? systemClock() : Math.floor((zeroMs + performance.now()) / 1000)),
    monotonicMs,
    follow,
  };
}

function readBoth(): { monotonicMs: number; systemMs: number } {
  return { monotonicMs: performance.now(), systemMs: Date.now() };
}
