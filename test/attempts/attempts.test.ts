import { beforeEach, expect, test } from 'vitest';
import { createAttempts } from '../../src/attempts/attempts.ts';
import { createHashQueue } from '../../src/attempts/hash-queue.ts';
import type { AttemptLimits } from '../../src/attempts/limits.ts';

type Work = Parameters<ReturnType<typeof createAttempts>['run']>[1];

let outcomes: string[];
let told: string[];
beforeEach(() => {
  outcomes = [];
  told = [];
});

const limits: AttemptLimits = {
  countAttempt: async () => ({
    headers: { ratelimit: 'counted' },
    async end(outcome) {
      outcomes.push(outcome);
      return { ratelimit: 'ended' };
    },
  }),
};

/** Whether the work came to a good end. */
async function run(work: Work, client = new AbortController().signal): Promise<boolean> {
  const attempts = createAttempts(limits, createHashQueue({ atOnce: 1, queueSeconds: 1 }));
  const tell = ({ ratelimit = '' }) => void told.push(ratelimit);
  return attempts.run({ address: '192.0.2.1', account: 'ada@example.com', client, tell }, work).then(
    () => true,
    () => false,
  );
}

const hash = async () => undefined;
const fail = () => {
  throw new Error('refused');
};

const works: { what: string; work: Work; outcome: string[] }[] = [
  { what: 'fails before its hash is turned away', work: async () => fail(), outcome: ['turned-away'] },
  {
    what: 'is refused once its password was judged is abandoned',
    work: async ({ judged }) => judged(fail),
    outcome: ['abandoned'],
  },
  {
    what: 'fails before its hash, with a password that was judged and found good, is turned away',
    work: async ({ judged }) => {
      judged(() => undefined);
      fail();
    },
    outcome: ['turned-away'],
  },
  { what: 'fails in its turn stays counted', work: ({ inTurn }) => inTurn(async () => fail()), outcome: [] },
  {
    what: 'fails after its turn stays counted, even when it judges a password then',
    work: async ({ inTurn, judged }) => {
      await inTurn(hash);
      judged(fail);
    },
    outcome: [],
  },
  {
    what: 'has its turn and does not succeed stays counted',
    work: ({ inTurn }) => inTurn(hash),
    outcome: [],
  },
  {
    what: 'succeeds is a success, whatever it hashes and whatever fails afterwards',
    work: async ({ inTurn, succeeded }) => {
      await inTurn(hash);
      succeeded();
      await inTurn(hash);
      fail();
    },
    outcome: ['succeeded'],
  },
];

test.each(works)('what $what', async ({ work, outcome }) => {
  await run(work);
  expect(outcomes).toEqual(outcome);
  expect(told).toEqual(outcome.length > 0 ? ['counted', 'ended'] : ['counted']);
});

test('what its client leaves before its turn is abandoned', async () => {
  expect(await run(({ inTurn }) => inTurn(hash), AbortSignal.abort())).toBe(false);
  expect(outcomes).toEqual(['abandoned']);
});

test('what its client leaves after its turn stays counted', async () => {
  const client = new AbortController();
  const work: Work = ({ inTurn }) =>
    inTurn(async () => {
      client.abort();
      fail();
    });
  expect(await run(work, client.signal)).toBe(false);
  expect(outcomes).toEqual([]);
});
