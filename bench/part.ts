/** What a part of the benchmark gives: tables of figures, each figure with its spread. */
export interface Part {
  /** As it is named on the command line. */
  name: string;
  /** Left out unless it is named, since it takes more time and room than all others together. */
  byNameOnly?: true;
  measure(options: Options): Promise<Table[]>;
}

interface Options {
  /** Fewer and shorter repetitions, so that all parts together end within 3 minutes. */
  quick: boolean;
}

export interface Table {
  title: string;
  /** How it was measured, in a sentence or two. */
  method: string;
  /** What the columns are, with their units, in order. */
  columns: readonly string[];
  rows: readonly Row[];
  /** Which column is drawn as a bar chart, or as a line over the rows when `growth`. */
  chart?: { column: string; kind: 'bars' | 'growth' };
}

export interface Row {
  name: string;
  /** Drawn in the color of idcard; what it is compared with is grey. */
  own?: boolean;
  /** By column. A text stands for a figure that cannot be: "no redis-server on this machine". */
  figures: Readonly<Record<string, Spread | string>>;
  /** What it is to reach, in words: "≥ 0.85", and whether it does. */
  goal?: { text: string; reached: boolean };
}

export interface Spread {
  median: number;
  lowerQuartile: number;
  upperQuartile: number;
  repetitions: number;
}
