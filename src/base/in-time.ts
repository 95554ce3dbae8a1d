/** The result of a promise, if it comes in time. @throws Error with the code ETIMEDOUT */
export async function inTime<T>(timeoutMs: number, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  // When this process was held up, an answer may have arrived meanwhile: `setImmediate` lets it be read first.
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
