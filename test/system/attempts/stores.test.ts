import { describe, expect, test } from 'vitest';
import type { Count, CountStore, Tally } from '../../../src/attempts/count-store.ts';
import { createMemoryStore } from '../../../src/attempts/memory-store.ts';
import { createRedisStore } from '../../../src/attempts/redis-store.ts';
import { letPass, useRedis } from '../../support/redis.ts';
import { lacks } from '../../support/system.ts';

const ADDRESS: Count = { kind: 'address', name: '192.0.2.1' };
const ACCOUNT: Count = { kind: 'account', name: 'ada@example.com' };
const BOTH = [ADDRESS, ACCOUNT];
const HOUR = 3600;
const DAY = 86_400;

type Step =
  | { add: number; times?: number; to?: Count[] }
  | { takeBack: number; from?: Count[] }
  | { passSeconds: number };

/** Of each count: how many attempts are free, for how many seconds, and for how many the attempt has to wait. */
type Told = [remaining: number, resetSeconds: number, waitSeconds: number];

const ELEVEN: Step = { add: 1, times: 11 };
/** The delay of attempt 102 is over a second after the count is. */
const AT_THE_END_OF_THE_HOUR: Step[] = [
  { add: 1, times: 100, to: [ADDRESS] },
  { passSeconds: HOUR - 2 },
  { add: 101, to: [ADDRESS] },
  { passSeconds: 1 },
  { add: 102, to: [ADDRESS] },
  { passSeconds: 1.5 },
];

/** What is told after the last step. */
const SEQUENCES: { name: string; steps: Step[]; told: Told[] }[] = [
  {
    name: 'a first attempt',
    steps: [{ add: 1 }],
    told: [
      [99, HOUR, 0],
      [9, DAY, 0],
    ],
  },
  {
    name: 'an attempt at the account alone',
    steps: [{ add: 1 }, { add: 2, to: [ACCOUNT] }],
    told: [[8, DAY, 0]],
  },
  {
    name: 'a later attempt, for which the count lasts no longer',
    steps: [{ add: 1 }, { passSeconds: 600 }, { add: 2 }],
    told: [
      [98, HOUR - 600, 0],
      [8, DAY - 600, 0],
    ],
  },
  {
    name: 'an attempt after the count is over',
    steps: [ELEVEN, { passSeconds: DAY }, { add: 12 }],
    told: [
      [99, HOUR, 0],
      [9, DAY, 0],
    ],
  },
  {
    name: 'the only attempt, taken back',
    steps: [{ add: 1 }, { takeBack: 1 }],
    told: [
      [100, HOUR, 0],
      [10, DAY, 0],
    ],
  },
  {
    name: 'one of two attempts, taken back',
    steps: [{ add: 1, times: 2 }, { passSeconds: 60 }, { takeBack: 1 }],
    told: [
      [99, HOUR - 60, 0],
      [9, DAY - 60, 0],
    ],
  },
  {
    name: 'an attempt after one was taken back from the account alone',
    steps: [{ add: 1 }, { takeBack: 1, from: [ACCOUNT] }, { add: 2 }],
    told: [
      [98, HOUR, 0],
      [9, DAY, 0],
    ],
  },
  {
    name: 'attempts after one was taken back that nobody had made',
    steps: [{ takeBack: 1 }, ELEVEN],
    told: [
      [89, HOUR, 0],
      [0, 1, 0],
    ],
  },
  {
    name: 'attempts after one was taken back that was forgotten',
    steps: [{ add: 12 }, { passSeconds: DAY }, { takeBack: 12 }, ELEVEN],
    told: [
      [89, HOUR, 0],
      [0, 1, 0],
    ],
  },
  {
    name: 'an attempt too many, which is counted nowhere',
    steps: [ELEVEN, { add: 12, times: 2 }],
    told: [
      [89, HOUR, 0],
      [0, DAY, 1],
    ],
  },
  {
    name: 'an attempt in the last second of a delay',
    steps: [ELEVEN, { passSeconds: 1 }, { add: 12 }, { passSeconds: 1.5 }, { add: 13 }],
    told: [
      [88, HOUR - 2, 0],
      [0, DAY - 2, 1],
    ],
  },
  {
    name: 'an attempt after the delay',
    steps: [ELEVEN, { passSeconds: 1 }, { add: 12 }, { passSeconds: 2 }, { add: 13 }],
    told: [
      [87, HOUR - 3, 0],
      [0, 4, 0],
    ],
  },
  {
    name: 'an attempt after the one that had brought about the delay was taken back',
    steps: [ELEVEN, { takeBack: 11 }, { add: 12 }],
    told: [
      [89, HOUR, 0],
      [0, 1, 0],
    ],
  },
  {
    name: 'an attempt after one before the delay was taken back',
    steps: [ELEVEN, { takeBack: 1 }, { add: 12 }],
    told: [
      [90, HOUR, 0],
      [0, DAY, 1],
    ],
  },
  {
    name: 'an attempt whose delay outlives the count',
    steps: [...AT_THE_END_OF_THE_HOUR, { add: 103, to: [ADDRESS] }],
    told: [[100, HOUR, 1]],
  },
  {
    name: 'an attempt after the delay that outlived the count',
    steps: [...AT_THE_END_OF_THE_HOUR, { passSeconds: 0.5 }, { add: 103, to: [ADDRESS] }],
    told: [[99, HOUR, 0]],
  },
  {
    name: 'an attempt after another one was taken back, whose delay outlives the count',
    steps: [...AT_THE_END_OF_THE_HOUR, { takeBack: 101, from: [ADDRESS] }, { add: 103, to: [ADDRESS] }],
    told: [[100, HOUR, 1]],
  },
  {
    name: 'an attempt after the one was taken back whose delay outlived the count',
    steps: [...AT_THE_END_OF_THE_HOUR, { takeBack: 102, from: [ADDRESS] }, { add: 103, to: [ADDRESS] }],
    told: [[99, HOUR, 0]],
  },
];

async function take(
  steps: readonly Step[],
  store: CountStore,
  pass: (seconds: number) => Promise<void>,
): Promise<Told[]> {
  let tallies: Tally[] = [];
  for (const step of steps) {
    if ('passSeconds' in step) await pass(step.passSeconds);
    else if ('takeBack' in step) tallies = await store.takeBack(step.takeBack, step.from ?? BOTH);
    else {
      for (let index = 0; index < (step.times ?? 1); index++) {
        tallies = await store.add(step.add + index, step.to ?? BOTH);
      }
    }
  }
  return tallies.map(({ remaining, resetSeconds, waitSeconds }) => [remaining, resetSeconds, waitSeconds]);
}

test.each(SEQUENCES)('in memory, $name is told', async ({ steps, told }) => {
  let passedMs = 0;
  const store = createMemoryStore(() => passedMs);
  const pass = async (seconds: number) => {
    passedMs += 1000 * seconds;
  };
  expect(await take(steps, store, pass)).toEqual(told);
});

describe.skipIf(lacks('redis-server'))('in Redis,', { retry: 2 }, () => {
  const redis = useRedis();

  test.each(SEQUENCES)('$name is told alike', async ({ steps, told }) => {
    await redis().flushall();
    const store = createRedisStore(redis(), 'https://login.example.com');
    expect(await take(steps, store, (seconds) => letPass(redis(), seconds))).toEqual(told);
  });
});
