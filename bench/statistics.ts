import type { Spread } from './part.ts';

/** The median and the quartiles of repeated measurements. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    lowerQuartile: quantile(sorted, 0.25),
    upperQuartile: quantile(sorted, 0.75),
    repetitions: values.length,
  };
}

export function median(values: readonly number[]): number {
  return spreadOf(values).median;
}

/** Between two values it lies on the line through them (type 7 of Hyndman and Fan, as in R and NumPy). */
export function quantile(sorted: readonly number[], share: number): number {
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}
