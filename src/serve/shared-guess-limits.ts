import { createBoundedMap } from '../bounded-map.ts';
import type { CountedAttempt, GuessLimits, LimitHeaders } from '../passwords/guessing.ts';
import { tooManyRequests } from '../problems/catalogue.ts';
import { Problem } from '../problems/problem.ts';
import { type GuessAnswer, type GuessQuestion, type Outcome, tellPrimary } from './messages.ts';

/* One count for all workers, in the primary: spread over them, guesses would be counted by none. */

/** How many attempts of a worker may be under way: more than can wait there for a hash. */
const ATTEMPTS_UNDER_WAY = 10_000;

/** In the primary: answers the questions of one worker. */
export function createGuessDesk(limits: GuessLimits): (question: GuessQuestion) => Promise<GuessAnswer> {
  // A wrong guess stays counted and is not heard of again, so the oldest are forgotten.
  const underWay = createBoundedMap<CountedAttempt>(ATTEMPTS_UNDER_WAY);

  async function decide(question: GuessQuestion): Promise<LimitHeaders> {
    if (!('outcome' in question)) {
      const counted = await limits.count(question.address, question.account);
      underWay.set(String(question.question), counted);
      return counted.headers;
    }
    const attempt = underWay.get(String(question.attempt));
    underWay.delete(String(question.attempt));
    return (await attempt?.[question.outcome]()) ?? {};
  }

  return async (question) => {
    const answerTo = question.question;
    try {
      return { answerTo, headers: await decide(question) };
    } catch (error) {
      const isRefusal = error instanceof Problem && error.kind === tooManyRequests.kind;
      return isRefusal ? { answerTo, refusedWith: error.headers } : { answerTo, failure: String(error) };
    }
  };
}

/** In a worker: the limits that the primary holds. */
export function createSharedGuessLimits() {
  const waiting = new Map<number, (answer: GuessAnswer) => void>();
  let questions = 0;

  async function ask(
    question: number,
    text: { address: string; account: string } | { attempt: number; outcome: Outcome },
  ): Promise<LimitHeaders> {
    const {
      headers = {},
      refusedWith,
      failure,
    } = await new Promise<GuessAnswer>((resolve) => {
      waiting.set(question, resolve);
      tellPrimary({ question, ...text });
    });
    if (refusedWith) throw tooManyRequests({ headers: refusedWith });
    if (failure !== undefined) throw new Error(failure);
    return headers;
  }

  const limits: GuessLimits = {
    async count(address, account) {
      const attempt = ++questions;
      const headers = await ask(attempt, { address, account });
      const end = (outcome: Outcome) => () => ask(++questions, { attempt, outcome });
      return {
        headers,
        succeeded: end('succeeded'),
        turnedAway: end('turnedAway'),
        abandoned: end('abandoned'),
      };
    },
  };
  return {
    limits,
    answered(answer: GuessAnswer): void {
      waiting.get(answer.answerTo)?.(answer);
      waiting.delete(answer.answerTo);
    },
  };
}
