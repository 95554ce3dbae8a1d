import { isFailure, KINDS, type Sample } from './load.ts';

export interface Figures {
  requests: number;
  failures: number;
  slowestMs: number;
  /** Of the answers 503. */
  slowestRefusalMs: number;
  /** How often each status was answered, 0 where nothing was. */
  statuses: Record<string, number>;
}

export function figuresOf(samples: readonly Sample[]): Figures {
  const statuses: Record<string, number> = {};
  for (const { status } of samples) statuses[status] = (statuses[status] ?? 0) + 1;
  return {
    requests: samples.length,
    failures: samples.filter(isFailure).length,
    slowestMs: slowestOf(samples),
    slowestRefusalMs: slowestOf(samples.filter(({ status }) => status === 503)),
    statuses,
  };
}

/** What a drill has measured, for whoever reads its output. */
export function printFigures(name: string, samples: readonly Sample[], secondsToRecover: number): void {
  const rows = KINDS.map((kind) => {
    const figures = figuresOf(samples.filter((sample) => sample.kind === kind));
    const statuses = Object.entries(figures.statuses).map(([status, count]) => `${count} × ${status}`);
    const { requests, failures, slowestMs, slowestRefusalMs } = figures;
    return [kind, requests, failures, `${slowestMs} ms`, `${slowestRefusalMs} ms`, statuses.join(', ')];
  });
  const table = [['requests', 'all', 'failed', 'slowest', 'slowest 503', 'answers'], ...rows];
  const widths = [9, 6, 7, 9, 12, 0];
  const lines = table.map((row) =>
    row.map((cell, column) => String(cell).padEnd(widths[column] ?? 0)).join(' '),
  );
  console.log([`${name}: recovered after ${secondsToRecover.toFixed(1)} s`, ...lines].join('\n'));
}

function slowestOf(samples: readonly Sample[]): number {
  return Math.round(Math.max(0, ...samples.map(({ startedMs, endedMs }) => endedMs - startedMs)));
}
