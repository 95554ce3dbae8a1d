import { expect, test, vi } from 'vitest';
import { createAttemptLimits } from '../../src/attempts/limits.ts';
import { answerAttempts } from '../../src/serve/primary-limits.ts';

const address = '192.0.2.1';
const account = 'ada@example.com';

test('the desks of several workers count together, and refuse with what the client is to be told', async () => {
  const limits = createAttemptLimits();
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
  const desk = answerAttempts(createAttemptLimits(), 5);
  let question = 0;
  async function guess(outcome?: 'takenBack') {
    const attempt = ++question;
    const { refusedWith } = await desk({ question: attempt, address, account });
    if (outcome) await desk({ question: ++question, attempt, outcome });
    return refusedWith === undefined;
  }
  for (let index = 0; index < 30; index++) expect(await guess('takenBack')).toBe(true);
  for (let index = 0; index < 10; index++) expect(await guess()).toBe(true);
  expect(await guess('takenBack')).toBe(true);
  expect(await guess()).toBe(true);
  expect(await guess()).toBe(false);
});

test('the devices of an account are counted apart, and by all workers', async () => {
  const limits = createAttemptLimits();
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
  const note = (outcome: string) => async () => ({ number: String(outcomes.push(outcome)) });
  const counted = {
    headers: {},
    takenBack: note('takenBack'),
    abandoned: note('abandoned'),
  };
  const desk = answerAttempts({ count: async () => counted }, 5);
  await desk({ question: 1, address, account });
  const answers = [1, 1, 2].map((attempt) => desk({ question: 9, attempt, outcome: 'abandoned' }));
  expect((await Promise.all(answers)).map(({ headers }) => headers)).toEqual([{ number: '1' }, {}, {}]);
  expect(outcomes).toEqual(['abandoned']);
});

test('a count that fails is answered too, so that nobody waits for ever', async () => {
  const count = async () => {
    throw new Error('broken');
  };
  const desk = answerAttempts({ count }, 5);
  expect(await desk({ question: 1, address, account })).toEqual({ answerTo: 1, failure: 'Error: broken' });
});

test('an attempt is forgotten when its outcome must have been told, and not before', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const takenBack = vi.fn(async () => ({}));
  const count = async () => ({ headers: {}, takenBack, abandoned: takenBack });
  const desk = answerAttempts({ count }, 5);
  for (let question = 1; question <= 2; question++) await desk({ question, address, account });
  vi.advanceTimersByTime(64_999);
  await desk({ question: 3, address, account });
  await desk({ question: 4, attempt: 1, outcome: 'takenBack' });
  expect(takenBack).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1);
  await desk({ question: 5, address, account });
  await desk({ question: 6, attempt: 2, outcome: 'takenBack' });
  expect(takenBack).toHaveBeenCalledTimes(1);
  await desk({ question: 7, attempt: 3, outcome: 'takenBack' });
  expect(takenBack).toHaveBeenCalledTimes(2);
  vi.useRealTimers();
});
