import type { Row, Spread, Table } from './part.ts';

export interface Report {
  /** ISO 8601 */
  takenAt: string;
  command: string;
  machine: Readonly<Record<string, string>>;
  versions: Readonly<Record<string, string>>;
  /** Whether there were fewer and shorter repetitions. */
  quick: boolean;
  /** How it was measured, in sentences. */
  method: readonly string[];
  tables: readonly Table[];
}

/** The report as Markdown, with the charts that lie beside it. */
export function formatReport({ takenAt, command, machine, versions, quick, method, tables }: Report): string {
  return `${[
    '# Benchmark',
    `Written by \`${command}\` on ${takenAt.slice(0, 10)}${quick ? ', quickly and so roughly' : ''}; what that did not measure was measured before, on the same machine with the same versions. Figures of another machine are other figures; the ratios travel.`,
    list(method),
    formatTable(['machine', ''], Object.entries(machine)),
    `Versions: ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.`,
    ...tables.flatMap((table) => formatSection(table)),
  ].join('\n\n')}\n`;
}

/** The name of a chart's file: `verifying-a-request.svg`. */
export function chartFile({ title }: Table): string {
  return `${title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')}.svg`;
}

/** @param chart where its chart lies */
export function formatSection(table: Table, chart = `charts/${chartFile(table)}`): string[] {
  const hasGoals = table.rows.some(({ goal }) => goal);
  const header = ['', ...table.columns, ...(hasGoals ? ['goal'] : [])];
  const rows = table.rows.map((row) => [
    row.name,
    ...table.columns.map((column) => formatFigure(row.figures[column])),
    ...(hasGoals ? [formatGoal(row)] : []),
  ]);
  const image = table.chart ? [`![${table.title}](${chart})`] : [];
  return [`## ${table.title}`, table.method, ...image, formatTable(header, rows)];
}

/** The median, and the quartiles where it was measured more than once. */
export function formatFigure(figure: Spread | string | undefined): string {
  if (figure === undefined) return '';
  if (typeof figure === 'string') return figure;
  const { median, lowerQuartile, upperQuartile, repetitions } = figure;
  const quartiles = ` (${formatNumber(lowerQuartile)} to ${formatNumber(upperQuartile)})`;
  return formatNumber(median) + (repetitions > 1 ? quartiles : '');
}

/** About three digits: the rest would be noise. */
function formatNumber(value: number): string {
  const size = Math.abs(value);
  const digits = size < 10 ? 2 : size < 100 ? 1 : 0;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function formatGoal({ goal }: Row): string {
  return goal ? `${goal.text}: ${goal.reached ? 'reached' : '**missed**'}` : '';
}

function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

function list(sentences: readonly string[]): string {
  return sentences.map((sentence) => `- ${sentence}`).join('\n');
}
