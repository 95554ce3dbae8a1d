import type { FastifyBaseLogger } from 'fastify';
import { Problem } from '../problems/problem.ts';

/** Whether the issuer answered the last request for a document. The log hears of each change once. */
export interface Reachability {
  isCurrent(): boolean;
  answered(): void;
  failed(err: unknown): void;
}

/**
 * @param name of the events `idcard.<name>.stale` and `idcard.<name>.current`
 * @param closing after it a failure is not logged
 */
export function createReachability(
  name: string,
  logger: FastifyBaseLogger,
  closing: AbortSignal,
): Reachability {
  let isCurrent: boolean | undefined;
  return {
    isCurrent: () => isCurrent === true,
    answered() {
      if (isCurrent === false) logger.info({ event: `idcard.${name}.current` });
      isCurrent = true;
    },
    failed(err) {
      if (isCurrent !== false && !closing.aborted) {
        const reason = err instanceof Problem ? err.reason?.() : undefined;
        logger.warn({ event: `idcard.${name}.stale`, reason, err });
      }
      isCurrent = false;
    },
  };
}
