import type { Load } from './load.ts';
import type { Spread } from './part.ts';
import type { ServerProcess } from './server-process.ts';
import { spreadOf } from './statistics.ts';

/** One row of a comparison. */
export interface Contender {
  name: string;
  server: Pick<ServerProcess, 'usage'>;
  /** A function makes a load of its own for each round. */
  load: Load | (() => Promise<Load>);
  /** Whether every request is to be refused. */
  refused?: boolean;
}

export interface Sample {
  requestsPerSecond: number;
  cpuMicrosecondsPerRequest: number;
}

/**
 * Measures all contenders in turn, round after round, so that whatever else the machine does disturbs all alike. The
 * first round warms up and does not count.
 */
export async function measureInTurn(
  contenders: readonly Contender[],
  { rounds, seconds }: { rounds: number; seconds: number },
): Promise<Map<string, Sample[]>> {
  const samples = new Map<string, Sample[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const contender of contenders) {
      const sample = await measureOnce(contender, seconds);
      if (round > 0) samples.get(contender.name)?.push(sample);
    }
  }
  return samples;
}

/** How often at most a contender is measured again in one round. */
const ATTEMPTS = 6;

/** @throws when an answer was not what the contender is measured for */
async function measureOnce({ name, server, load, refused }: Contender, duration: number): Promise<Sample> {
  const ready = typeof load === 'function' ? await load() : load;
  let [requests, seconds, cpuSeconds] = [0, 0, 0];
  // Again where the server hardly ran: others had its core, or its memory was on the disk since it was idle.
  for (let attempt = 0; attempt < ATTEMPTS && cpuSeconds < duration / 4; attempt++) {
    const before = server.usage().cpuSeconds;
    const result = await ready.run(duration);
    cpuSeconds += server.usage().cpuSeconds - before;
    requests += result.requests;
    seconds += result.seconds;
    if (result.failures !== (refused ? result.requests : 0)) {
      throw new Error(`${name}: ${result.failures} of ${result.requests} requests failed.`);
    }
  }
  if (requests === 0) throw new Error(`${name}: no request was answered; is the machine too busy?`);
  return {
    requestsPerSecond: requests / seconds,
    cpuMicrosecondsPerRequest: (cpuSeconds / requests) * 1e6,
  };
}

/** How much faster than the reference it is, within each round: by requests per second, and by CPU time. */
export function ratios(
  samples: readonly Sample[],
  reference: readonly Sample[],
): { byRequests: Spread; byCpu: Spread } {
  const within = (ratio: (own: Sample, other: Sample) => number) =>
    spreadOf(
      samples.flatMap((own, round) => {
        const other = reference[round];
        return other ? [ratio(own, other)] : [];
      }),
    );
  return {
    byRequests: within((own, other) => own.requestsPerSecond / other.requestsPerSecond),
    byCpu: within((own, other) => other.cpuMicrosecondsPerRequest / own.cpuMicrosecondsPerRequest),
  };
}
