/**
 * Errors that `action` makes have no stack. A stack takes longer than all else in the refusal of a bad token. Strangers
 * decide how many bad tokens come, and nobody needs a place in the code for a mistake of a client. Node's own
 * cryptography makes an error too, whenever it looks into a key: 10 of the 60 µs that a good token takes.
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
