/** What a promise gives, if it does within a time. @throws Error with the code ETIMEDOUT */
export async function inTime<T>(timeoutMs: number, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  // When this process itself was held up, what arrived meanwhile is read first.
  const timer = setTimeout(() => setImmediate(() => late.reject(timeout())), timeoutMs);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function timeout(): Error {
  return Object.assign(new Error('There was no answer in time.'), { code: 'ETIMEDOUT' });
}
