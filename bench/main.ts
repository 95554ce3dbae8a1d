/** `npm run bench -- [part…] [--quick]`: measures, and writes `bench/report.md` with what lies beside it. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readArguments, UsageError } from './arguments.ts';
import { drawChart } from './charts.ts';
import { canPin } from './cores.ts';
import { loadGenerator } from './load.ts';
import { describeMachine, listVersions } from './machine.ts';
import type { Part, Table } from './part.ts';
import { PARTS } from './parts/index.ts';
import { chartFile, formatReport, type Report } from './report.ts';

const FOLDER = new URL('./', import.meta.url);
const DATA = new URL('report.json', FOLDER);

const METHOD = [
  canPin
    ? 'Unless a table says otherwise, the server has a core of its own, and the load comes from another process on ' +
      'another core.'
    : 'Server and load share the cores of the machine, since there is no taskset, or one core only.',
  `${loadGenerator} sends the requests, over connections that are kept alive (20, unless a table says otherwise).`,
  'All rows of a table are measured in turn, round after round, so that whatever else the machine does disturbs all ' +
    'alike; the first round warms up. Ratios are taken within a round; a figure is the median of the rounds, with the ' +
    'quartiles behind it.',
  'CPU time is that of the server process, all its threads, by the count of the operating system. It decides whether a ' +
    'goal is reached: requests per second hang on the load generator and on the neighbours as well.',
  ...(loadGenerator === 'wrk'
    ? []
    : ['autocannon cannot keep the fastest servers busy, so that requests per second flatter what is slow.']),
];

try {
  const args = process.argv.slice(2);
  const { quick, chosen } = readArguments(args, PARTS);
  const report = {
    takenAt: new Date().toISOString(),
    command: ['npm run bench', ...(args.length > 0 ? ['--'] : []), ...args].join(' '),
    machine: describeMachine(),
    versions: listVersions(),
    method: METHOD,
    quick,
    tables: [] as Table[],
  };
  report.tables = tablesOfBefore(report);
  for (const part of chosen) {
    for (const table of await measure(part, quick)) replaceOrAdd(report.tables, table);
    write(report); // what is measured stays, if a later part fails
  }
  console.log(formatReport(report));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

async function measure(part: Part, quick: boolean): Promise<Table[]> {
  const startedAt = performance.now();
  const tables = await part.measure({ quick });
  console.error(`${part.name}: ${Math.round((performance.now() - startedAt) / 1000)} s`);
  return tables;
}

/** A part that is measured alone takes its place among the others, if they are of the same machine, versions and care. */
function tablesOfBefore(report: Report): Table[] {
  if (!existsSync(DATA)) return [];
  const before: Report = JSON.parse(readFileSync(DATA, 'utf8'));
  const circumstances = ({ machine, versions, quick }: Report) => JSON.stringify([machine, versions, quick]);
  return circumstances(before) === circumstances(report) ? [...before.tables] : [];
}

function replaceOrAdd(tables: Table[], table: Table): void {
  const index = tables.findIndex(({ title }) => title === table.title);
  tables.splice(index === -1 ? tables.length : index, 1, table);
}

function write(report: Report): void {
  const charts = new URL('charts/', FOLDER);
  rmSync(charts, { recursive: true, force: true });
  mkdirSync(charts);
  for (const table of report.tables) {
    const svg = drawChart(table);
    if (svg !== undefined) writeFileSync(new URL(chartFile(table), charts), svg);
  }
  writeFileSync(new URL('report.md', FOLDER), formatReport(report));
  writeFileSync(DATA, `${JSON.stringify(report, null, 2)}\n`);
}
