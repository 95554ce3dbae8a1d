import type { Load } from './load.ts';

/** How many requests it takes until the compiler has done its work, and a request costs no less than the one before. */
export const WARM_UP = 30_000;

/** @throws when one is refused */
export async function sendAtLeast(count: number, load: Load): Promise<void> {
  for (let sent = 0; sent < count; ) {
    const result = await load.run(1);
    if (result.failures > 0) throw new Error(`${result.failures} of ${result.requests} requests failed.`);
    sent += result.requests;
  }
}
