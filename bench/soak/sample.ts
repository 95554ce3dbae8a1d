import type { Doings } from './pace.ts';
import type { ProcessSight } from './processes.ts';

/** What was seen in ten seconds. */
export interface Sample extends Omit<Doings, 'failures'> {
  /** Since the load began, at their end. */
  atSeconds: number;
  seconds: number;
  requests: number;
  processes: readonly ProcessSight[];
  postgresConnections: number;
  redisConnections: number;
}

/** What the memory of verified tokens holds at most. */
const VERIFIED_TOKENS = 100_000;
const ISSUE_TOKENS = ['login', 'refresh', 'change of password'];

/**
 * The samples whose trend counts: the last three quarters, and none before so many tokens were issued that each process
 * has filled its memory of verified ones twice, since until then it grows as it is meant to.
 */
export function judgedSamples(samples: readonly Sample[]): readonly Sample[] {
  const last = samples.at(-1)?.atSeconds ?? 0;
  let issued = 0;
  return samples.filter(({ atSeconds, latenciesMs }) => {
    for (const name of ISSUE_TOKENS) issued += latenciesMs.get(name)?.length ?? 0;
    return atSeconds > last / 4 && issued > 2 * VERIFIED_TOKENS;
  });
}
