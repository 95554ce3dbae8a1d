import { drawChart } from '../charts.ts';
import type { Row, Spread, Table } from '../part.ts';
import { formatSection } from '../report.ts';
import { quantile, spreadOf } from '../statistics.ts';
import type { Failure } from './pace.ts';
import type { Sample } from './sample.ts';
import { type Trend, trendOf } from './verdict.ts';

export interface Soak {
  minutes: number;
  /** Of the whole mix, as fast as possible, and what was offered afterwards. */
  capacityPerSecond: number;
  offeredPerSecond: number;
  samples: readonly Sample[];
  failures: readonly Failure[];
}

/** Three bytes that are kept of each request, or 200 of each login, would be more. */
const MOST_MIB_PER_HOUR = 10;
/** Connections come and go: to PostgreSQL up to the size of the pool, from clients as many as ask at once. */
const MOST_MORE_DESCRIPTORS = 15;
/** Over less, the slope of a heap is that of its garbage. */
const LEAST_JUDGED_SECONDS = 900;
/** A machine that others use as well is away for a second at times, and 503 is what it should say then. */
const MOST_REFUSED = 0.01;
const SLICES = 12;
const LISTED_FAILURES = 50;

/** @returns the report as Markdown, its chart, and whether every bound was kept */
export function formatSoak(soak: Soak): { markdown: string; svg: string | undefined; isKept: boolean } {
  const course = courseTable(soak);
  const tables = [outcomeTable(soak), trendTable(soak), course, mixTable(soak)];
  const sections = tables.flatMap((table) => formatSection(table, 'soak.svg'));
  const failures = soak.failures
    .slice(0, LISTED_FAILURES)
    .map(({ at, action, what }) => `- ${at} ${action}: ${what}`);
  const isKept = tables.every(({ rows }) => rows.every(({ goal }) => goal?.reached !== false));
  const list = failures.length > 0 ? ['## Failures', failures.join('\n')] : [];
  return {
    markdown: `${['# Soak', METHOD, ...sections, ...list].join('\n\n')}\n`,
    svg: drawChart(course),
    isKept,
  };
}

const METHOD =
  'Written by `npm run soak`: the whole life of accounts at 70 % of what the machine can do, on a real PostgreSQL that ' +
  'waits for its disk. `idcard serve` is compiled and has two workers, so that what the primary keeps, what goes between ' +
  'the processes and the connections that are handed over have their hour too. Limits on guessing are on; every person ' +
  'has an address of their own, told by a proxy. Every answer is checked against the one status that it must have. The ' +
  'clients take their share of the same cores.';

function outcomeTable({ minutes, capacityPerSecond, offeredPerSecond, samples, failures }: Soak): Table {
  const sum = (of: (sample: Sample) => number) => samples.reduce((total, sample) => total + of(sample), 0);
  const refused = sum((sample) => sample.refused);
  const count = (value: number) => Math.round(value).toLocaleString('en');
  const row = (name: string, value: string, goal?: Row['goal']): Row => ({
    name,
    figures: { '': value },
    ...(goal && { goal }),
  });
  return {
    title: 'Outcome',
    method:
      'Late is what began more than 100 ms after it was due; left out is what was due while 64 others were under way.',
    columns: [''],
    rows: [
      row('minutes', String(minutes)),
      row('actions/s at most', count(capacityPerSecond)),
      row('actions/s offered', count(offeredPerSecond)),
      row('requests', count(sum(({ requests }) => requests))),
      row('late', count(sum(({ late }) => late))),
      row('503, asked again', count(refused), {
        text: `≤ ${100 * MOST_REFUSED} % of the requests`,
        reached: refused <= MOST_REFUSED * sum(({ requests }) => requests),
      }),
      row('left out', count(sum(({ skipped }) => skipped))),
      row('failures', count(failures.length), { text: 'none', reached: failures.length === 0 }),
    ],
  };
}

function trendTable({ samples }: Soak): Table {
  const judged = samples.slice(Math.floor(samples.length / 2));
  const [first, last] = [judged[0], judged.at(-1)];
  const isLongEnough = first && last && last.atSeconds - first.atSeconds >= LEAST_JUDGED_SECONDS;
  const names = samples[0]?.processes.map(({ name }) => name) ?? [];
  const trend = (name: string, of: (process: Sample['processes'][number]) => number | undefined) =>
    trendOf(
      judged.flatMap(({ atSeconds, processes }) =>
        processes
          .filter((process) => process.name === name)
          .flatMap((process) => {
            const value = of(process);
            return value === undefined ? [] : [[atSeconds, value] as const];
          }),
      ),
    );
  return {
    title: 'Memory and descriptors',
    method:
      'The slope of the line through all samples of the second half, with the medians of their first and last tenth: in ' +
      'the first half, tokens with proofs of possession, which are longer, take the place of the 100,000 that each worker ' +
      'had verified before the load began. Live is what was left when garbage was collected, every two minutes; resident ' +
      'memory tells as well when that was. ' +
      (isLongEnough ? '' : 'This was too short to judge memory by it.'),
    columns: [
      'live, MiB/h',
      'live, MiB',
      'resident, MiB',
      'proportional, MiB',
      'descriptors',
      'more descriptors',
      'threads',
    ],
    rows: names.map((name) => {
      const live = trend(name, ({ liveMib }) => liveMib);
      const descriptors = trend(name, (process) => process.descriptors);
      const isFlat = descriptors.rise <= MOST_MORE_DESCRIPTORS;
      return {
        name,
        figures: {
          'live, MiB/h': figure(live.perHour),
          'live, MiB': fromTo(live),
          'resident, MiB': fromTo(trend(name, ({ rssMib }) => rssMib)),
          'proportional, MiB': fromTo(trend(name, ({ pssMib }) => pssMib)),
          descriptors: fromTo(descriptors),
          'more descriptors': figure(descriptors.rise),
          threads: fromTo(trend(name, ({ threads }) => threads)),
        },
        goal: isLongEnough
          ? {
              text: `≤ ${MOST_MIB_PER_HOUR} MiB/h, ≤ ${MOST_MORE_DESCRIPTORS} descriptors`,
              reached: isFlat && live.perHour <= MOST_MIB_PER_HOUR,
            }
          : { text: `≤ ${MOST_MORE_DESCRIPTORS} descriptors`, reached: isFlat },
      };
    }),
  };
}

function courseTable({ samples }: Soak): Table {
  const perSlice = Math.max(1, Math.ceil(samples.length / SLICES));
  const slices = Array.from({ length: Math.ceil(samples.length / perSlice) }, (_, index) =>
    samples.slice(index * perSlice, (index + 1) * perSlice),
  );
  const latency = (name: string, share: number) => (sample: Sample) =>
    quantile(
      (sample.latenciesMs.get(name) ?? []).toSorted((a, b) => a - b),
      share,
    );
  const total = (of: (process: Sample['processes'][number]) => number) => (sample: Sample) =>
    sample.processes.reduce((sum, process) => sum + of(process), 0);
  const columns: Record<string, (sample: Sample) => number> = {
    'resident, MiB': total(({ rssMib }) => rssMib),
    descriptors: total(({ descriptors }) => descriptors),
    'cores in use': ({ coresInUse }) => coresInUse,
    'requests/s': ({ requests, seconds }) => requests / seconds,
    'verify p50, ms': latency('verify', 0.5),
    'verify p99, ms': latency('verify', 0.99),
    'login p50, ms': latency('login', 0.5),
    'login p99, ms': latency('login', 0.99),
    'PostgreSQL connections': ({ postgresConnections }) => postgresConnections,
    'Redis connections': ({ redisConnections }) => redisConnections,
  };
  return {
    title: 'Course',
    method:
      'Of all processes of the server together, in samples of ten seconds; times are from when a request was due. The ' +
      'connections to PostgreSQL are also those of the operator who bans and deletes.',
    columns: Object.keys(columns),
    rows: slices.map((slice) => ({
      name: `to ${((slice.at(-1)?.atSeconds ?? 0) / 60).toFixed(1)} min`,
      own: true,
      figures: Object.fromEntries(
        Object.entries(columns).map(([name, of]) => [name, spreadOf(slice.map(of))]),
      ),
    })),
    chart: { column: 'resident, MiB', kind: 'growth' },
  };
}

function mixTable({ samples }: Soak): Table {
  const names = new Set(samples.flatMap(({ latenciesMs }) => [...latenciesMs.keys()]));
  const all = (name: string) =>
    samples.flatMap(({ latenciesMs }) => latenciesMs.get(name) ?? []).sort((a, b) => a - b);
  const rows = [...names].map((name) => ({ name, latencies: all(name) }));
  return {
    title: 'What was done',
    method: 'By the actions of people; some are several requests, as their names say.',
    columns: ['times', 'p50, ms', 'p99, ms'],
    rows: rows
      .toSorted((a, b) => b.latencies.length - a.latencies.length)
      .map(({ name, latencies }) => ({
        name,
        figures: {
          times: latencies.length.toLocaleString('en'),
          'p50, ms': figure(quantile(latencies, 0.5)),
          'p99, ms': figure(quantile(latencies, 0.99)),
        },
      })),
  };
}

function figure(value: number): Spread {
  return { median: value, lowerQuartile: value, upperQuartile: value, repetitions: 1 };
}

function fromTo({ from, to }: Trend): string {
  return `${Math.round(from)} to ${Math.round(to)}`;
}
