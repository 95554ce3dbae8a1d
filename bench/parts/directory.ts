import { randomInt } from 'node:crypto';
import { createReadStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { hash } from 'argon2';
import { systemClock } from '../../src/base/clock.ts';
import { openDatabase } from '../../src/database/index.ts';
import { createDirectory, type Directory } from '../../src/users/directory.ts';
import { listenTo } from '../../test/support/plans.ts';
import { emailOf, type Filling, fillPostgres, fillSqlite, idOf } from '../filled-databases.ts';
import type { Part, Row, Table } from '../part.ts';
import { ARGON2, PASSWORD } from '../password.ts';
import { type Postgres, startBenchPostgres } from '../postgres.ts';
import { median, quantile, spreadOf } from '../statistics.ts';
import { memoryTable } from './directory-memory.ts';

const P50 = 'p50, µs';
const P99 = 'p99, µs';
const RELATIVE = 'p50, relative to the fewest';
const FOUND_BY = 'found by';
/** A tree of ten million is a level deeper than one of ten thousand, and not all in the processor's caches. */
const FLAT = 2;

/** A directory under measurement. */
interface Contender extends Omit<Filled, 'url'> {
  directory: Directory;
  plansOf(ask: () => Promise<unknown>): Promise<string[]>;
  close(): Promise<void>;
}

interface Operation {
  title: string;
  method: string;
  /** In each round, or in every tenth. */
  everyRounds: number;
  /** @param turn a number that is another one each time */
  run(contender: Contender, turn: number): Promise<unknown>;
}

const OPERATIONS: readonly Operation[] = [
  {
    title: 'Directory: the look-up of a login',
    method: 'By the email of any user.',
    everyRounds: 1,
    run: ({ directory, count }) => proveFound(directory.findByEmail(emailOf(keptOf(count)))),
  },
  {
    title: 'Directory: the look-up of a refresh',
    method: 'By the id of any user.',
    everyRounds: 1,
    run: ({ directory, count }) => proveFound(directory.findById(idOf(keptOf(count)))),
  },
  {
    title: 'Directory: a registration',
    method: 'Somebody new, with an email in no order; it is on the disk when it is done.',
    everyRounds: 1,
    run: ({ directory, count, passwordHash }, turn) =>
      directory.add({ email: emailOf(count + turn), passwordHash, roles: [] }),
  },
  {
    title: 'Directory: the poll for revocations',
    method:
      'The versions raised in the last five minutes: 100 at first, and one more with each of the changes below.',
    everyRounds: 1,
    run: ({ directory, nowSeconds }) => directory.raisedSince(nowSeconds - 300),
  },
  {
    title: 'Directory: a logout everywhere',
    method: 'Of any user; it is on the disk when it is done.',
    everyRounds: 10,
    run: ({ directory, count }) => directory.updateAndVoidTokens(idOf(changedOf(count)), {}),
  },
  {
    title: 'Directory: a deletion',
    method: 'Of any user, with those who were deleted long ago; it is on the disk when it is done.',
    everyRounds: 10,
    run: ({ directory, count }) => directory.remove(idOf(changedOf(count))),
  },
];

/** Any user of a tenth of all, who are voided and deleted. */
function changedOf(count: number): number {
  return 10 * randomInt(count / 10) + 6;
}

/** Any user of the others. */
function keptOf(count: number): number {
  const number = randomInt(count);
  return number % 10 === 6 ? number - 1 : number;
}

async function proveFound(finding: Promise<unknown>): Promise<void> {
  if ((await finding) === undefined) throw new Error('Somebody is not there who should be.');
}

/** What each query costs as the users grow, in both databases, and what memory a replica needs for them. */
export const directory: Part = {
  name: 'directory',
  byNameOnly: true,
  async measure({ quick }) {
    const counts = quick ? [10_000, 100_000] : [10_000, 1_000_000, 10_000_000];
    const postgres = await startBenchPostgres({ max_wal_size: '8GB' });
    const filled = await fill(postgres, counts);
    const files = filled.flatMap(({ url }) =>
      url.startsWith('sqlite:') ? [url.slice('sqlite:'.length)] : [],
    );
    await readThrough([...files, ...filesIn(postgres.tables)]);
    const contenders = await Promise.all(filled.map(open));
    const tables = await measureOperations(contenders, quick ? 200 : 2000);
    for (const { close } of contenders) await close();
    const ends = filled.filter(({ count }) => count === counts[0] || count === counts.at(-1));
    tables.push(await memoryTable(ends, quick ? 200 : 2000));
    await postgres.remove();
    return tables;
  },
};

export interface Filled extends Filling {
  name: string;
  url: string;
}

async function fill(postgres: Postgres, counts: readonly number[]): Promise<Filled[]> {
  const passwordHash = await hash(PASSWORD, ARGON2);
  const filled: Filled[] = [];
  for (const count of counts) {
    const filling = { count, nowSeconds: systemClock(), passwordHash };
    filled.push({ name: 'SQLite', ...filling, url: await fillSqlite(filling) });
    filled.push({ name: 'PostgreSQL', ...filling, url: await fillPostgres(postgres, filling) });
    console.error(`${count} users: ${Math.round(performance.now() / 1000)} s`);
  }
  return filled.toSorted((a, b) => b.name.localeCompare(a.name));
}

/** So that the operating system has them in memory, as those of a database in use: otherwise the disk is measured. */
async function readThrough(paths: readonly string[]): Promise<void> {
  for (const path of paths) for await (const _ of createReadStream(path, { highWaterMark: 2 ** 20 }));
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}

async function open({ url, ...filled }: Filled): Promise<Contender> {
  const { db, plansOf } = listenTo(await openDatabase(url));
  const directory = createDirectory(db, systemClock);
  return { ...filled, directory, plansOf, close: directory.close };
}

/** Of each operation, the microseconds that it took each contender. */
type Times = ReadonlyMap<Operation, readonly number[][]>;

async function measureOperations(contenders: readonly Contender[], rounds: number): Promise<Table[]> {
  const newTimes = (): Times => new Map(OPERATIONS.map((operation) => [operation, contenders.map(() => [])]));
  const warmUps = rounds / 10;
  for (let turn = 0; turn < warmUps; turn++) await takeTurns(contenders, turn, newTimes());
  const times = newTimes();
  for (let turn = 0; turn < rounds; turn++) await takeTurns(contenders, warmUps + turn, times);
  const tables: Table[] = [];
  for (const [operation, own] of times)
    tables.push(await tableOf(operation, contenders, own, warmUps + rounds));
  return tables;
}

/** Everything once for all, so that whatever else the machine does disturbs all alike. */
async function takeTurns(contenders: readonly Contender[], turn: number, times: Times): Promise<void> {
  for (const [operation, taken] of times) {
    if (turn % operation.everyRounds !== 0) continue;
    // In another order each time: the first one pays for the caches that the operation before it left.
    for (const index of shuffled(contenders.keys())) {
      const contender = contenders[index];
      if (!contender) continue;
      const startedAt = performance.now();
      await operation.run(contender, turn);
      taken[index]?.push(1000 * (performance.now() - startedAt));
    }
  }
}

function shuffled(indexes: Iterable<number>): number[] {
  return [...indexes]
    .map((index) => [Math.random(), index] as const)
    .sort(([a], [b]) => a - b)
    .map(([, index]) => index);
}

async function tableOf(
  { title, method, run }: Operation,
  contenders: readonly Contender[],
  times: readonly number[][],
  turn: number,
): Promise<Table> {
  const smallest = Math.min(...contenders.map(({ count }) => count));
  const rows: Row[] = [];
  for (const [index, contender] of contenders.entries()) {
    const own = (times[index] ?? []).toSorted((a, b) => a - b);
    const p50 = spreadOf(own);
    const fewest = contenders.findIndex(({ name, count }) => name === contender.name && count === smallest);
    const relative = p50.median / median(times[fewest] ?? []);
    const plans = await contender.plansOf(() => run(contender, turn));
    const isFlat = relative <= FLAT && !plans.some((plan) => /Seq Scan|SCAN users/.test(plan));
    rows.push({
      name: `${contender.name}, ${contender.count.toLocaleString('en')}`,
      own: true,
      figures: {
        [P50]: p50,
        [P99]: spreadOf([quantile(own, 0.99)]),
        [RELATIVE]: spreadOf([relative]),
        [FOUND_BY]: plans.flatMap(indexesOf).join(', '),
      },
      ...(contender.count > smallest && { goal: { text: `≤ ${FLAT}, by an index`, reached: isFlat } }),
    });
  }
  return {
    title,
    method: `${method} ${times[0]?.length.toLocaleString('en')} times in turn with all else, through the code that serves; the files are in the memory of the operating system.`,
    columns: [P50, P99, RELATIVE, FOUND_BY],
    rows,
    chart: { column: P50, kind: 'bars' },
  };
}

/** As the plan names them; an insert has none, but for the one that decides whether the email is taken. */
function indexesOf(plan: string): string[] {
  const found = plan.matchAll(
    /USING (?:COVERING )?INDEX (\w+)|Index (?:Only )?Scan (?:using|on) (\w+)|Arbiter Indexes: (\w+)/g,
  );
  return [...found].map(([, ...names]) => names.find((name) => name !== undefined) ?? '');
}
