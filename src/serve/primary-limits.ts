import type { AttemptLimits, CountedAttempt, LimitHeaders } from '../attempts/limits.ts';
import { tooManyRequests } from '../attempts/problems.ts';
import { monotonicMs } from '../base/clock.ts';
import { type AttemptAnswer, type AttemptQuestion, type AttemptText, tellPrimary } from './messages.ts';

/*
 * The primary counts the attempts of all workers. If each worker counted its own, there would be several times as many
 * free attempts.
 */

/** How long a hash may take on a slow machine. */
const LONGEST_HASH_SECONDS = 60;

/**
 * In the primary: answers the questions of one worker.
 * @param queueSeconds how long an attempt may wait for its hash
 */
export function answerAttempts(
  limits: AttemptLimits,
  queueSeconds: number,
  nowMs = monotonicMs,
): (question: AttemptQuestion) => Promise<AttemptAnswer> {
  /** In the order of their beginning. No worker tells the outcome of a failure, which stays counted. */
  const underWay = new Map<number, CountedAttempt & { forgottenAtMs: number }>();

  async function decide(question: AttemptQuestion): Promise<LimitHeaders> {
    if ('outcome' in question) {
      const counted = underWay.get(question.attempt);
      underWay.delete(question.attempt);
      return (await counted?.end(question.outcome)) ?? {};
    }
    forgetOld();
    const { address, account, device } = question;
    const counted = await limits.countAttempt({ address, account, device });
    const forgottenAtMs = nowMs() + 1000 * (queueSeconds + LONGEST_HASH_SECONDS);
    underWay.set(question.question, { ...counted, forgottenAtMs });
    return counted.headers;
  }

  function forgetOld(): void {
    for (const [attempt, { forgottenAtMs }] of underWay) {
      if (nowMs() < forgottenAtMs) return;
      underWay.delete(attempt);
    }
  }

  return async (question) => {
    const answerTo = question.question;
    try {
      return { answerTo, headers: await decide(question) };
    } catch (error) {
      const isRefusal = tooManyRequests.is(error);
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
    async countAttempt(text) {
      const attempt = ++questions;
      const headers = await ask(attempt, text);
      return { headers, end: (outcome) => ask(++questions, { attempt, outcome }) };
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
