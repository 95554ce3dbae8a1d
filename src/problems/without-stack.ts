/**
 * Errors made in here do not know where. A stack takes longer than all else in the refusal of a bad token, strangers decide
 * how many there are, and nobody reads where in the code a client was wrong. Node's own cryptography makes an error too,
 * whenever it looks into a key: 10 of the 60 µs that a good token takes.
 */
export function withoutStack<T>(action: () => T): T {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return action();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
