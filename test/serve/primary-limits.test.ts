import { expect, test, vi } from 'vitest';
import { createAttemptLimits, type Outcome } from '../../src/attempts/limits.ts';
import { createMemoryStore } from '../../src/attempts/memory-store.ts';
import { monotonicMs } from '../../src/base/clock.ts';
import { answerAttempts } from '../../src/serve/primary-limits.ts';

const address = '192.0.2.1';
const account = 'ada@example.com';

test('the desks of several workers count together, and refuse with what the client is to be told', async () => {
  const limits = createAttemptLimits(createMemoryStore(monotonicMs));
  const desks = [answerAttempts(limits, 5), answerAttempts(limits, 5)];
  for (let question = 1; question <= 11; question++) {
    const answer = await desks[question % 2]?.({ question, address, account });
    expect(answer).toMatchObject({
      answerTo: question,
      headers: { ratelimit: `"address";r=${100 - question};t=3600` },
    });
  }
  const refusal = { answerTo: 12, refusedWith: { 'retry-after': '1', ratelimit: '"address";r=89' } };
  for (const desk of desks) expect(await desk({ question: 12, address, account })).toMatchObject(refusal);
});

test('an attempt that was taken back leaves no count, and those before it stay counted', async () => {
  const desk = answerAttempts(createAttemptLimits(createMemoryStore(monotonicMs)), 5);
  let question = 0;
  async function guess(outcome?: Outcome) {
    const attempt = ++question;
    const { refusedWith } = await desk({ question: attempt, address, account });
    if (outcome) await desk({ question: ++question, attempt, outcome });
    return refusedWith === undefined;
  }
  for (let index = 0; index < 30; index++) expect(await guess('succeeded')).toBe(true);
  for (let index = 0; index < 10; index++) expect(await guess()).toBe(true);
  expect(await guess('succeeded')).toBe(true);
  expect(await guess()).toBe(true);
  expect(await guess()).toBe(false);
});

test('the devices of an account are counted apart, and by all workers', async () => {
  const limits = createAttemptLimits(createMemoryStore(monotonicMs));
  const desks = [answerAttempts(limits, 5), answerAttempts(limits, 5)];
  for (let question = 1; question <= 11; question++)
    await desks[question % 2]?.({ question, address, account, device: 'one' });
  for (const desk of desks) {
    expect(await desk({ question: 12, address, account, device: 'one' })).toHaveProperty('refusedWith');
    expect(await desk({ question: 13, address, account, device: 'other' })).toHaveProperty('headers');
    expect(await desk({ question: 14, address, account })).toHaveProperty('headers');
  }
});

test('the outcome of an attempt is taken once, and that of an attempt nobody knows changes nothing', async () => {
  const outcomes: string[] = [];
  const end = async (outcome: string) => ({ number: String(outcomes.push(outcome)) });
  const desk = answerAttempts({ countAttempt: async () => ({ headers: {}, end }) }, 5);
  await desk({ question: 1, address, account });
  const answers = [1, 1, 2].map((attempt) => desk({ question: 9, attempt, outcome: 'abandoned' }));
  expect((await Promise.all(answers)).map(({ headers }) => headers)).toEqual([{ number: '1' }, {}, {}]);
  expect(outcomes).toEqual(['abandoned']);
});

test('a count that fails is answered too, so that nobody waits for ever', async () => {
  const countAttempt = async () => {
    throw new Error('broken');
  };
  const desk = answerAttempts({ countAttempt }, 5);
  expect(await desk({ question: 1, address, account })).toEqual({ answerTo: 1, failure: 'Error: broken' });
});

test('an attempt is forgotten when its outcome must have been told, and not before', async () => {
  let nowMs = 0;
  const end = vi.fn(async () => ({}));
  const desk = answerAttempts({ countAttempt: async () => ({ headers: {}, end }) }, 5, () => nowMs);
  for (let question = 1; question <= 2; question++) await desk({ question, address, account });
  nowMs += 64_999;
  await desk({ question: 3, address, account });
  await desk({ question: 4, attempt: 1, outcome: 'succeeded' });
  expect(end).toHaveBeenCalledTimes(1);
  nowMs += 1;
  await desk({ question: 5, address, account });
  await desk({ question: 6, attempt: 2, outcome: 'succeeded' });
  expect(end).toHaveBeenCalledTimes(1);
  await desk({ question: 7, attempt: 3, outcome: 'succeeded' });
  expect(end).toHaveBeenCalledTimes(2);
});
