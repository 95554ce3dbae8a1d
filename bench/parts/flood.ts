import { setTimeout as sleep } from 'node:timers/promises';
import { hash } from 'argon2';
import { createIssuer, PUBLIC_URL } from '../issuer.ts';
import { type LoadProcess, startLoadProcess } from '../load/child.ts';
import type { LoginOptions, LoginReport } from '../load/login-process.ts';
import type { ProbeOptions, ProbeReport } from '../load/probe-process.ts';
import type { Part, Row, Table } from '../part.ts';
import { ARGON2, PASSWORD } from '../password.ts';
import { bearer } from '../servers/peer.ts';
import { type ShippedServer, startIdcard } from '../shipped.ts';
import { quantile, spreadOf } from '../statistics.ts';
import { createUsers, userEmail } from '../users.ts';

const USERS = 100;
const FLOOD_SECONDS = 60;
const PROBES_PER_SECOND = 200;
const MEBIBYTE = 1024 ** 2;
const MOST_MEBIBYTES = 128;

const COLUMNS = {
  p99: 'p99 of GET /v1/verify, ms',
  median: 'median, ms',
  logins: 'logins/s',
  refused: 'refused/s',
  refusedP99: 'p99 of a refusal, ms',
  memory: 'MiB more than idle, at most',
} as const;

const QUIET = 'no logins';
const BUSY = '8 logins at once';

const SCENES: readonly Scene[] = [
  { name: QUIET, clients: 0 },
  { name: BUSY, clients: 8 },
  { name: '500 logins at once, who wait as Retry-After says', clients: 500, heedsRetryAfter: true },
  { name: '500 logins at once, who try again at once', clients: 500 },
];

interface Scene {
  name: string;
  clients: number;
  heedsRetryAfter?: boolean;
}

/** What was seen in a window of time. */
interface Sight {
  p99: number;
  median: number;
  logins: number;
  refusedAfterMs: readonly number[];
  seconds: number;
}

interface Outcome {
  name: string;
  sights: readonly Sight[];
  grownMebibytes: number;
}

/** What more logins than the machine can hash do to everybody else, to its memory, and to themselves. */
export const flood: Part = {
  name: 'flood',
  async measure({ quick }) {
    const windows = quick ? 2 : 7;
    const issuer = createIssuer();
    const [client] = issuer.issue(1);
    if (!client) throw new Error('No client.');
    const env = {
      KEY_SET: issuer.keySet,
      PUBLIC_URL,
      RATE_LIMITS: 'off',
      DATABASE_URL: await createUsers(USERS, { passwordHash: await hash(PASSWORD, ARGON2) }),
    };
    const outcomes: Outcome[] = [];
    for (const scene of SCENES) {
      const server = await startIdcard(env);
      const seconds = (quick ? 2 : scene.clients > 100 ? FLOOD_SECONDS : 28) / windows;
      outcomes.push(await play(scene, server, bearer(client), { windows, seconds }));
      await server.stop();
    }
    return [tableOf(outcomes)];
  },
};

async function play(
  { name, clients, heedsRetryAfter = false }: Scene,
  server: ShippedServer,
  headers: ProbeOptions['headers'],
  { windows, seconds }: { windows: number; seconds: number },
): Promise<Outcome> {
  const { address } = server;
  const url = `${address}/v1/verify`;
  const probe = startLoadProcess<ProbeReport>('probe-process.ts', {
    url,
    headers,
    perSecond: PROBES_PER_SECOND,
  } satisfies ProbeOptions);
  await sleep(1000);
  const idleBytes = server.usage().rssBytes;
  const logins = startLoadProcess<LoginReport>('login-process.ts', {
    address,
    clients,
    bodies: Array.from({ length: USERS }, (_, number) =>
      JSON.stringify({ email: userEmail(number), password: PASSWORD }),
    ),
    heedsRetryAfter,
  } satisfies LoginOptions);
  let peakBytes = 0;
  const sampling = setInterval(() => {
    peakBytes = Math.max(peakBytes, server.usage().rssBytes);
  }, 50);

  await watch(probe, logins, 2); // until all connections are there
  const sights: Sight[] = [];
  for (let window = 0; window < windows; window++) sights.push(await watch(probe, logins, seconds));
  clearInterval(sampling);
  await probe.stop();
  await logins.stop();
  return { name, sights, grownMebibytes: (peakBytes - idleBytes) / MEBIBYTE };
}

/** @throws when any answer was neither success nor a 503 with `Retry-After` */
async function watch(
  probe: LoadProcess<ProbeReport>,
  logins: LoadProcess<LoginReport>,
  seconds: number,
): Promise<Sight> {
  await sleep(seconds * 1000);
  const [probed, login] = await Promise.all([probe.report(), logins.report()]);
  if (probed.failures + login.failures > 0)
    throw new Error(`${probed.failures} verifications and ${login.failures} logins failed.`);
  const latencies = probed.latenciesMs.toSorted((a, b) => a - b);
  return { ...login, p99: quantile(latencies, 0.99), median: quantile(latencies, 0.5) };
}

function tableOf(outcomes: readonly Outcome[]): Table {
  const quiet = outcomes.find(({ name }) => name === QUIET);
  const mostMs = 2 * spreadOf(quiet?.sights.map(({ p99 }) => p99) ?? []).median;
  return {
    title: 'A flood of logins',
    method:
      `GET /v1/verify ${PROBES_PER_SECOND} times a second, each timed from when it was due, while others log in for ` +
      `${FLOOD_SECONDS} s: \`idcard serve\` with all cores and without limits on guessing. On a machine with fewer ` +
      'than four cores the clients take their share of what the server and its hashes have, and wait for it too: ' +
      'then the times are theirs as much as the server’s.',
    columns: Object.values(COLUMNS),
    rows: outcomes.map((outcome) => rowOf(outcome, mostMs)),
    chart: { column: COLUMNS.p99, kind: 'bars' },
  };
}

function rowOf({ name, sights, grownMebibytes }: Outcome, mostMs: number): Row {
  const spread = (of: (sight: Sight) => number) => spreadOf(sights.map(of));
  const p99 = spread((sight) => sight.p99);
  const refusals = sights.flatMap(({ refusedAfterMs }) => refusedAfterMs).sort((a, b) => a - b);
  return {
    name,
    own: true,
    figures: {
      [COLUMNS.p99]: p99,
      [COLUMNS.median]: spread(({ median }) => median),
      [COLUMNS.logins]: spread(({ logins, seconds }) => logins / seconds),
      [COLUMNS.refused]: spread(({ refusedAfterMs, seconds }) => refusedAfterMs.length / seconds),
      [COLUMNS.refusedP99]: refusals.length > 0 ? spreadOf([quantile(refusals, 0.99)]) : 'none refused',
      [COLUMNS.memory]: spreadOf([grownMebibytes]),
    },
    ...(name !== QUIET &&
      name !== BUSY && {
        goal: {
          text: `p99 ≤ ${mostMs.toFixed(1)} ms, ≤ ${MOST_MEBIBYTES} MiB, and some refused`,
          reached: p99.median <= mostMs && grownMebibytes <= MOST_MEBIBYTES && refusals.length > 0,
        },
      }),
  };
}
