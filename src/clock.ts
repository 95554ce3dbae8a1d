/** The time in whole seconds since 1970, as JWTs count it (NumericDate, RFC 7519 §2). Injected everywhere. */
export type Clock = () => number;

export const systemClock: Clock = () => Math.floor(Date.now() / 1000);

/** The system's clock until it is told to follow another one. */
export interface FollowingClock {
  now: Clock;
  /**
   * Asks the other clock. Never throws: without an answer it runs on as before.
   * @param askMs answers with milliseconds since 1970
   */
  follow(askMs: () => Promise<number>): Promise<void>;
}

/** Smaller differences are lost in the time that an answer takes. */
const NOTABLE_MS = 1000;

/**
 * Between two answers it counts by the monotonic clock, for which no step of the system's clock exists.
 * @param onDeviation told by how many seconds the system's clock is behind, when that is notable or has changed notably
 */
export function createFollowingClock(
  onDeviation: (seconds: number) => void = () => undefined,
): FollowingClock {
  /** Milliseconds since 1970 at the zero of the monotonic clock. */
  let zeroMs: number | undefined;
  let toldMs = 0;

  return {
    now: () => Math.floor((zeroMs === undefined ? Date.now() : zeroMs + performance.now()) / 1000),
    async follow(askMs) {
      const askedAt = performance.now();
      const answerMs = await askMs().catch(() => undefined);
      const answeredAt = performance.now();
      if (answerMs === undefined) return;
      const isVague = answeredAt - askedAt > NOTABLE_MS;
      if (isVague && zeroMs !== undefined) return;
      const rightZeroMs = answerMs - (askedAt + answeredAt) / 2;
      if (zeroMs === undefined || Math.abs(rightZeroMs - zeroMs) > NOTABLE_MS) zeroMs = rightZeroMs;
      const behindMs = zeroMs + performance.now() - Date.now();
      if (Math.abs(behindMs - toldMs) <= NOTABLE_MS) return;
      toldMs = behindMs;
      onDeviation(Math.round(behindMs / 1000));
    },
  };
}
