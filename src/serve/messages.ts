import type { Worker } from 'node:cluster';
import type { Attempt, LimitHeaders, Outcome } from '../attempts/limits.ts';
import type { Revocation } from '../proofs/revocations/revocations.ts';
import type { StopSignal } from './signals.ts';

/** What a worker tells the primary, and what it asks. */
export type FromWorker = AttemptQuestion | { revoked: Revocation } | { listensOn: string[] };

/** What the primary tells a worker. */
export type FromPrimary = AttemptAnswer | { revoked: Revocation } | { stop: StopSignal };

/** Asks whether an attempt may be made, or says what it turned out to be. */
export type AttemptQuestion = { question: number } & AttemptText;

export type AttemptText = Attempt | { attempt: number; outcome: Outcome };

export interface AttemptAnswer {
  answerTo: number;
  /** Header fields for the client, when the attempt may be made, and once its outcome was told. */
  headers?: LimitHeaders;
  /** Header fields of the refusal. */
  refusedWith?: Record<string, string>;
  /** What went wrong, when there is no answer. */
  failure?: string;
}

/** Sends a message. A worker that has just ended gets none: the error is dropped, since its end is told elsewhere. */
export function tellWorker(worker: Worker, message: FromPrimary): void {
  worker.send(message, () => undefined);
}

/** Sends a message. The error is dropped, since a worker ends with its primary. */
export function tellPrimary(message: FromWorker): void {
  process.send?.(message, () => undefined);
}
