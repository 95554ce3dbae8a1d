import { expect, test } from 'vitest';
import type { ProcessSight } from '../bench/soak/processes.ts';
import { formatSoak } from '../bench/soak/report.ts';
import type { Sample } from '../bench/soak/sample.ts';
import { trendOf } from '../bench/soak/verdict.ts';

test('the trend is the slope of the line through all points, between the medians of its ends', () => {
  const series = Array.from({ length: 100 }, (_, index) => [index * 36, 50 + index] as const);
  const trend = trendOf(series);
  expect(trend.perHour).toBeCloseTo(100);
  expect(trend.rise).toBeCloseTo(99);
  expect(trend).toMatchObject({ from: 54.5, to: 144.5 });
});

/** An hour in which nothing happens but what is given. */
function soak(change: (hours: number) => Partial<ProcessSight & Sample> = () => ({})): Sample[] {
  return Array.from({ length: 360 }, (_, index) => {
    const atSeconds = (index + 1) * 10;
    const changed = change(atSeconds / 3600);
    const noise = index % 7;
    return {
      atSeconds,
      seconds: 10,
      requests: 10_000,
      refused: 0,
      late: 0,
      skipped: 0,
      latenciesMs: new Map([['verify', [1, 2, 3]]]),
      coresInUse: 1,
      postgresConnections: 5,
      redisConnections: 0,
      ...changed,
      processes: [
        {
          name: 'worker 1',
          pid: 1,
          rssMib: 250 + 10 * noise,
          pssMib: 200,
          descriptors: 60 + noise,
          threads: 11,
          cpuSeconds: 0,
          ...(index % 12 === 0 && { liveMib: 120 + noise / 10 }),
          ...changed,
        },
      ],
    };
  });
}

function isKept(samples: Sample[], failures: Parameters<typeof formatSoak>[0]['failures'] = []): boolean {
  return formatSoak({ minutes: 60, capacityPerSecond: 1400, offeredPerSecond: 1000, samples, failures })
    .isKept;
}

test('an hour in which everything stays level keeps every bound', () => {
  expect(isKept(soak())).toBe(true);
});

test('growth in the first half, while caches fill, counts for nothing', () => {
  expect(isKept(soak((hours) => (hours < 0.5 ? { liveMib: 100 + hours * 40 } : {})))).toBe(true);
});

test('nor does garbage that is not collected yet', () => {
  expect(isKept(soak((hours) => ({ rssMib: 250 + 30 * hours })))).toBe(true);
});

test.each<[string, (hours: number) => Partial<ProcessSight & Sample>]>([
  ['memory that grows', (hours) => ({ liveMib: 120 + 15 * hours })],
  ['descriptors that grow', (hours) => ({ descriptors: 60 + Math.round(40 * hours) })],
  ['more than a few refusals', () => ({ refused: 200 })],
])('%s breaks a bound', (_what, change) => {
  expect(isKept(soak(change))).toBe(false);
});

test('one wrong answer breaks a bound, and is listed', () => {
  const failures = [{ at: '2026-11-25T12:00:00Z', action: 'verify', what: '500 instead of 200: …' }];
  expect(isKept(soak(), failures)).toBe(false);
  const { markdown } = formatSoak({
    minutes: 60,
    capacityPerSecond: 1400,
    offeredPerSecond: 1000,
    samples: soak(),
    failures,
  });
  expect(markdown).toContain('- 2026-11-25T12:00:00Z verify: 500 instead of 200: …');
});
