import type { Doings } from './pace.ts';
import type { ProcessSight } from './processes.ts';

/** What was seen in ten seconds. */
export interface Sample extends Omit<Doings, 'failures'> {
  /** Since the load began, at their end. */
  atSeconds: number;
  seconds: number;
  requests: number;
  /** 503 with `Retry-After`. */
  refused: number;
  processes: readonly ProcessSight[];
  coresInUse: number;
  postgresConnections: number;
  redisConnections: number;
}
