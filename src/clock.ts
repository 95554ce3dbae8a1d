/** The time in whole seconds since 1970, as JWTs count it (NumericDate, RFC 7519 §2). Injected everywhere. */
export type Clock = () => number;

export const systemClock: Clock = () => Math.floor(Date.now() / 1000);
