import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Redis, startRedis } from '../support/redis.ts';
import { lacks } from '../support/system.ts';
import { until } from '../support/workers.ts';
import { droppedOf, runDrill } from './support/drill.ts';
import { figuresOf } from './support/figures.ts';
import { type System, startSystem } from './support/system.ts';

/** A request waits for an answer of Redis for 0.3 s, at most twice; the rest is for a busy machine. */
const SLOWEST_MS = 4000;

describe.skipIf(lacks('nginx', 'redis-server'))(
  'no request fails, and replicas count together again, when',
  () => {
    let redis: Redis;
    let system: System;
    beforeEach(async () => {
      redis = await startRedis();
      system = await startSystem({ env: { RATE_LIMITS: 'on', REDIS_URL: redis.url } });
    });
    afterEach(async () => {
      await system.remove();
      await redis.remove();
    });

    /** Until both replicas say that they count together, or each for itself. */
    const untilBothSay = (event: 'limits.local' | 'limits.shared') =>
      until(() => [0, 1].every((index) => lastOf(system.replica(index).stdout()) === event));

    test.each([
      { name: 'Redis is killed', strike: () => redis.kill(), mend: () => redis.start() },
      {
        name: 'Redis is stopped and not closed',
        strike: () => redis.kill('SIGSTOP'),
        mend: () => redis.kill('SIGCONT'),
      },
    ])('$name', async ({ name, strike, mend }) => {
      const outcome = await runDrill(system, {
        name,
        async strike() {
          await strike();
          await untilBothSay('limits.local');
        },
        async mend() {
          await mend();
          await untilBothSay('limits.shared');
        },
      });
      expect(droppedOf(outcome)).toEqual([]);
      expect(figuresOf(outcome.samples).slowestMs).toBeLessThan(SLOWEST_MS);
    });
  },
);

function lastOf(log: string): string | undefined {
  return log.match(/limits\.(?:local|shared)/g)?.at(-1);
}
