import { expect, test } from 'vitest';
import { createGuessLimits } from '../../src/passwords/guessing.ts';
import { createGuessDesk } from '../../src/serve/shared-guess-limits.ts';

const address = '192.0.2.1';
const account = 'ada@example.com';

test('the desks of several workers count together, and refuse with what the client is to be told', async () => {
  const limits = createGuessLimits();
  const desks = [createGuessDesk(limits), createGuessDesk(limits)];
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

test('an attempt that was turned away leaves no count, and a success none of those before it', async () => {
  const desk = createGuessDesk(createGuessLimits());
  let question = 0;
  async function guess(outcome?: 'turnedAway' | 'succeeded') {
    const attempt = ++question;
    const { refusedWith } = await desk({ question: attempt, address, account });
    if (outcome) await desk({ question: ++question, attempt, outcome });
    return refusedWith === undefined;
  }
  for (let index = 0; index < 30; index++) expect(await guess('turnedAway')).toBe(true);
  for (let index = 0; index < 10; index++) expect(await guess()).toBe(true);
  expect(await guess('succeeded')).toBe(true);
  for (let index = 0; index < 11; index++) expect(await guess()).toBe(true);
  expect(await guess()).toBe(false);
});

test('the outcome of an attempt is taken once, and that of an attempt nobody knows changes nothing', async () => {
  const outcomes: string[] = [];
  const note = (outcome: string) => async () => ({ number: String(outcomes.push(outcome)) });
  const counted = {
    headers: {},
    succeeded: note('succeeded'),
    turnedAway: note('turnedAway'),
    abandoned: note('abandoned'),
  };
  const desk = createGuessDesk({ count: async () => counted });
  await desk({ question: 1, address, account });
  const answers = [1, 1, 2].map((attempt) => desk({ question: 9, attempt, outcome: 'abandoned' }));
  expect((await Promise.all(answers)).map(({ headers }) => headers)).toEqual([{ number: '1' }, {}, {}]);
  expect(outcomes).toEqual(['abandoned']);
});

test('a count that fails is answered too, so that nobody waits for ever', async () => {
  const desk = createGuessDesk({
    count: async () => {
      throw new Error('broken');
    },
  });
  expect(await desk({ question: 1, address, account })).toEqual({ answerTo: 1, failure: 'Error: broken' });
});
