import type { AttemptLimits, CountedAttempt, LimitHeaders } from '../attempts/limits.ts';
import { tooManyRequests } from '../problems/catalogue.ts';
import { Problem } from '../problems/problem.ts';
import {
  type AttemptAnswer,
  type AttemptQuestion,
  type AttemptText,
  type Outcome,
  tellPrimary,
} from './messages.ts';

/* One count for all workers, in the primary: spread over them, guesses would be counted by none. */

/** For the hash, on a machine that is slow to it. */
const LONGEST_HASH_SECONDS = 60;

/**
 * In the primary: answers the questions of one worker.
 * @param queueSeconds for how long an attempt may wait for its hash
 */
export function answerAttempts(
  limits: AttemptLimits,
  queueSeconds: number,
): (question: AttemptQuestion) => Promise<AttemptAnswer> {
  /** In the order of their beginning. A wrong guess stays counted and is not heard of again. */
  const underWay = new Map<number, CountedAttempt & { forgottenAtMs: number }>();

  async function decide(question: AttemptQuestion): Promise<LimitHeaders> {
    if ('outcome' in question) {
      const attempt = underWay.get(question.attempt);
      underWay.delete(question.attempt);
      return (await attempt?.[question.outcome]()) ?? {};
    }
    forgetOld();
    const counted = await limits.count(question.address, question.account, question.device);
    const forgottenAtMs = performance.now() + 1000 * (queueSeconds + LONGEST_HASH_SECONDS);
    underWay.set(question.question, { ...counted, forgottenAtMs });
    return counted.headers;
  }

  function forgetOld(): void {
    for (const [attempt, { forgottenAtMs }] of underWay) {
      if (performance.now() < forgottenAtMs) return;
      underWay.delete(attempt);
    }
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
export function createPrimaryLimits() {
  const waiting = new Map<number, (answer: AttemptAnswer) => void>();
  let questions = 0;

  async function ask(question: number, text: AttemptText): Promise<LimitHeaders> {
    const {
      headers = {},
      refusedWith,
      failure,
    } = await new Promise<AttemptAnswer>((resolve) => {
      waiting.set(question, resolve);
      tellPrimary({ question, ...text });
    });
    if (refusedWith) throw tooManyRequests({ headers: refusedWith });
    if (failure !== undefined) throw new Error(failure);
    return headers;
  }

  const limits: AttemptLimits = {
    async count(address, account, device) {
      const attempt = ++questions;
      const headers = await ask(attempt, { address, account, device });
      const end = (outcome: Outcome) => () => ask(++questions, { attempt, outcome });
      return {
        headers,
        takenBack: end('takenBack'),
        abandoned: end('abandoned'),
      };
    },
  };
  return {
    limits,
    answered(answer: AttemptAnswer): void {
      waiting.get(answer.answerTo)?.(answer);
      waiting.delete(answer.answerTo);
    },
  };
}
