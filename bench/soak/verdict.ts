import { median } from '../statistics.ts';

/** One figure over time: seconds since the start, and the value. */
export type Series = readonly (readonly [seconds: number, value: number])[];

export interface Trend {
  /** Of the line through all points (least squares). */
  perHour: number;
  /** How far that line rises from the first point to the last. */
  rise: number;
  /** The medians of the first and the last tenth. */
  from: number;
  to: number;
}

export function trendOf(series: Series): Trend {
  const mean = (of: (point: Series[number]) => number) =>
    series.reduce((sum, point) => sum + of(point), 0) / series.length;
  const [meanSeconds, meanValue] = [mean(([seconds]) => seconds), mean(([, value]) => value)];
  const covariance = mean(([seconds, value]) => (seconds - meanSeconds) * (value - meanValue));
  const perSecond = covariance / mean(([seconds]) => (seconds - meanSeconds) ** 2);
  const tenth = Math.max(1, Math.round(series.length / 10));
  const values = series.map(([, value]) => value);
  return {
    perHour: perSecond * 3600,
    rise: perSecond * ((series.at(-1)?.[0] ?? 0) - (series[0]?.[0] ?? 0)),
    from: median(values.slice(0, tenth)),
    to: median(values.slice(-tenth)),
  };
}
