import type { FastifyBaseLogger } from 'fastify';
import { Problem } from '../problems/problem.ts';

/** Whether the issuer gave something when it was asked last; each change is told to the log once. */
export interface Reachability {
  isCurrent(): boolean;
  answered(): void;
  failed(err: unknown): void;
}

/**
 * @param name of the events `idcard.<name>.stale` and `idcard.<name>.current`
 * @param closing after which a failure is none
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
