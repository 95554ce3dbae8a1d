import type { Row, Table } from './part.ts';
import { ratios, type Sample } from './rounds.ts';
import { spreadOf } from './statistics.ts';

export type Samples = ReadonlyMap<string, readonly Sample[]>;

const BY_CPU = 'relative speed, by CPU time';
const BY_REQUESTS = 'relative speed, by requests/s';
const CPU = 'CPU µs per request';
const REQUESTS = 'requests/s';

/** The one thing that a machine may lack. */
const NOT_MEASURED = 'no redis-server on this machine';

/** The columns of a comparison with one reference, and the chart of it. */
export const comparisonColumns = {
  columns: [BY_CPU, BY_REQUESTS, CPU, REQUESTS],
  chart: { column: BY_CPU, kind: 'bars' },
} as const satisfies Partial<Table>;

/** How many times as fast as the reference it is, and what a request costs. */
export function comparisonRow(samples: Samples, name: string, reference: string): Row {
  const [own, other] = [samples.get(name), samples.get(reference)];
  if (!own || !other) return { name, figures: { [BY_CPU]: NOT_MEASURED } };
  const { byCpu, byRequests } = ratios(own, other);
  return {
    name,
    figures: {
      [BY_CPU]: byCpu,
      [BY_REQUESTS]: byRequests,
      [CPU]: spreadOf(own.map(({ cpuMicrosecondsPerRequest }) => cpuMicrosecondsPerRequest)),
      [REQUESTS]: spreadOf(own.map(({ requestsPerSecond }) => requestsPerSecond)),
    },
  };
}

/** How many times as fast one is to be as another. Decided by CPU time, which a busy machine disturbs least. */
export interface Goal {
  name: string;
  reference: string;
  /** Where there is no goal it is told all the same. */
  atLeast?: number;
}

export function goalTable(title: string, samples: Samples, goals: readonly Goal[]): Table {
  return {
    title,
    method: 'How many times as fast the first is as the second.',
    columns: [BY_CPU, BY_REQUESTS],
    rows: goals.map((goal) => goalRow(samples, goal)),
  };
}

function goalRow(samples: Samples, { name, reference, atLeast }: Goal): Row {
  const [own, other] = [samples.get(name), samples.get(reference)];
  const title = `${name} / ${reference}`;
  if (!own || !other) return { name: title, figures: { [BY_CPU]: NOT_MEASURED } };
  const { byCpu, byRequests } = ratios(own, other);
  return {
    name: title,
    figures: { [BY_CPU]: byCpu, [BY_REQUESTS]: byRequests },
    ...(atLeast !== undefined && { goal: { text: `≥ ${atLeast}`, reached: byCpu.median >= atLeast } }),
  };
}
