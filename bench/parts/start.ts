import { setTimeout as sleep } from 'node:timers/promises';
import type { Part, Row, Table } from '../part.ts';
import { SERVE } from '../serve-command.ts';
import { CHECKOUT, compileIdcard, startAsShipped } from '../shipped.ts';
import { spreadOf } from '../statistics.ts';
import { temporaryPath } from '../temporary.ts';

const START_MS = 'ms to the first answer';
const IDLE_MEGABYTES = 'MB when idle';
const LONGEST_START_MS = 300;
const LARGEST_MEGABYTES = 90;
const MEGABYTE = 1e6;

const BARE = 'a bare Fastify with one route';
const COMPILED = 'idcard, compiled';
const SOURCES = 'idcard, from its sources';

interface Start {
  ms: number;
  megabytes: number;
}

/** How long a process takes until it answers, and how much memory it has then. */
export const start: Part = {
  name: 'start',
  async measure({ quick }) {
    const rounds = quick ? 2 : 11;
    const contenders = [
      { name: BARE, folder: CHECKOUT, command: ['bench/servers/bare-fastify.js'] },
      { name: COMPILED, folder: compileIdcard(), command: SERVE },
      { name: SOURCES, folder: CHECKOUT, command: SERVE },
    ].map((contender) => ({ ...contender, env: { DATA_DIR: temporaryPath() }, starts: [] as Start[] }));

    for (let round = 0; round <= rounds; round++) {
      for (const { command, folder, env, starts } of contenders) {
        const server = await startAsShipped(command, { folder, env });
        await sleep(1000);
        const { rssBytes } = server.usage();
        await server.stop();
        // The first time it makes keys and a database, and the files are not in the memory of the system.
        if (round > 0) starts.push({ ms: server.startMs, megabytes: rssBytes / MEGABYTE });
      }
    }
    return [tableOf(contenders)];
  },
};

function tableOf(contenders: readonly { name: string; starts: readonly Start[] }[]): Table {
  return {
    title: 'Starting',
    method:
      'From the start of the process to its first answer to GET /livez, where the database and the keys are already ' +
      'there; and its resident set a second later. Each has all cores.',
    columns: [START_MS, IDLE_MEGABYTES],
    rows: contenders.map(({ name, starts }) => rowOf(name, starts)),
    chart: { column: START_MS, kind: 'bars' },
  };
}

function rowOf(name: string, starts: readonly Start[]): Row {
  const ms = spreadOf(starts.map((each) => each.ms));
  const megabytes = spreadOf(starts.map((each) => each.megabytes));
  const figures = { [START_MS]: ms, [IDLE_MEGABYTES]: megabytes };
  if (name !== COMPILED) return { name, figures };
  const reached = ms.median <= LONGEST_START_MS && megabytes.median <= LARGEST_MEGABYTES;
  return {
    name,
    own: true,
    figures,
    goal: { text: `≤ ${LONGEST_START_MS} ms, ≤ ${LARGEST_MEGABYTES} MB`, reached },
  };
}
