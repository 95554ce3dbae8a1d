import { systemClock } from '../../src/base/clock.ts';
import { SERVER_CORE } from '../cores.ts';
import { type Client, createIssuer, type Issuer, PUBLIC_URL, TOKEN_TTL_SECONDS } from '../issuer.ts';
import { createLoad, type Load, type LoadRequest } from '../load.ts';
import type { Part, Table } from '../part.ts';
import { issueRefreshTokens } from '../refresh-tokens.ts';
import { measureInTurn, ratios, type Sample } from '../rounds.ts';
import { bearer } from '../servers/peer.ts';
import { type ShippedServer, startIdcard } from '../shipped.ts';
import { spreadOf } from '../statistics.ts';
import { createUsers, userId } from '../users.ts';
import { sendAtLeast, WARM_UP } from '../warm-up.ts';

const CLIENTS = 1000;
const AN_HOUR = 3600;

const CPU = 'CPU µs per request';
const RELATIVE = 'relative to the first, by CPU time';
/** What noise may make of a line that is level. */
const FLAT = 1.1;

/** Something that there may be more and more of. */
interface Dimension {
  title: string;
  method: string;
  counts: readonly number[];
  /** Fewer of them, in the interest of time. */
  quickCounts: readonly number[];
  /** Whether a request must not cost more for it. */
  isFree: boolean;
  /** A server that has so many, and whoever sends it requests. */
  prepare(count: number): Promise<{ server: ShippedServer; clients: readonly Client[] }>;
}

const USERS: Dimension = {
  title: 'Growth: users',
  method: 'By the number of users in the database, SQLite.',
  counts: [10_000, 100_000, 1_000_000],
  quickCounts: [1000, 10_000],
  isFree: true,
  async prepare(count) {
    const issuer = createIssuer();
    const server = await start(issuer.keySet, { DATABASE_URL: await createUsers(count) });
    return { server, clients: issuer.issue(CLIENTS) };
  },
};

const LOGINS: Dimension = {
  title: 'Growth: live logins',
  method: 'By the number of other logins whose tokens this process has issued, all of them unexpired.',
  counts: [0, 1000, 10_000, 100_000],
  quickCounts: [0, 5000],
  isFree: true,
  async prepare(count) {
    const issuer = createIssuer();
    const server = await start(issuer.keySet, { DATABASE_URL: await createUsers(CLIENTS) });
    const ids = Array.from({ length: count }, (_, number) => userId(number % CLIENTS));
    // A refresh issues the tokens of its login anew, without the password hash.
    const refreshes = issueRefreshTokens(issuer.keySet, ids).map((refresh_token) => ({
      method: 'POST' as const,
      path: '/v1/refresh',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ refresh_token }),
    }));
    if (count > 0) await sendAtLeast(count, loadOf(server, refreshes));
    return { server, clients: issuer.issue(CLIENTS) };
  },
};

const TOKENS: Dimension = {
  title: 'Growth: tokens in use',
  method: 'By the number of distinct tokens that are presented in turn, each of which was presented before.',
  counts: [1, 1000, 10_000, 100_000],
  quickCounts: [1, 10_000],
  isFree: false,
  async prepare(count) {
    const issuer = createIssuer();
    const server = await start(issuer.keySet);
    const clients = issuer.issue(count);
    await sendAtLeast(count, loadOf(server, verifications(clients)));
    return { server, clients };
  },
};

const REVOCATIONS: Dimension = {
  title: 'Growth: revocations',
  method:
    'By the number of users whose tokens were revoked lately; those who send requests are not among them.',
  counts: [0, 100, 10_000, 100_000],
  quickCounts: [0, 10_000],
  isFree: true,
  async prepare(count) {
    const issuer = createIssuer();
    const raisedAtSeconds = systemClock() - AN_HOUR;
    const server = await start(issuer.keySet, {
      DATABASE_URL: await createUsers(count, { raisedAtSeconds }),
    });
    return { server, clients: issuer.issue(CLIENTS) };
  },
};

const KEYS: Dimension = {
  title: 'Growth: keys',
  method: 'By the number of keys in the key set that sign access tokens; the tokens are of all keys in turn.',
  counts: [1, 3, 10],
  quickCounts: [1, 10],
  isFree: true,
  async prepare(count) {
    const issuers = Array.from({ length: count }, createIssuer);
    const server = await start(JSON.stringify({ keys: issuers.flatMap(keysOf) }));
    const clients = issuers.flatMap((issuer) => issuer.issue(Math.ceil(CLIENTS / count)));
    return { server, clients };
  },
};

/** What a verified request costs as everything else grows. */
export const growth: Part = {
  name: 'growth',
  async measure({ quick }) {
    const tables = [];
    for (const dimension of [USERS, LOGINS, TOKENS, REVOCATIONS, KEYS]) {
      tables.push(await measureDimension(dimension, quick));
    }
    return tables;
  },
};

async function measureDimension(dimension: Dimension, quick: boolean): Promise<Table> {
  const contenders = [];
  for (const count of quick ? dimension.quickCounts : dimension.counts) {
    const { server, clients } = await dimension.prepare(count);
    const load = loadOf(server, verifications(clients));
    await sendAtLeast(quick ? WARM_UP / 3 : WARM_UP, load);
    contenders.push({ name: count.toLocaleString('en'), server, load });
  }
  const samples = await measureInTurn(
    contenders,
    quick ? { rounds: 1, seconds: 1 } : { rounds: 7, seconds: 1 },
  );
  for (const { server } of contenders) await server.stop();
  return tableOf(dimension, samples);
}

function start(KEY_SET: string, env: NodeJS.ProcessEnv = {}): Promise<ShippedServer> {
  const ttl = { ACCESS_TOKEN_TTL_SECONDS: String(TOKEN_TTL_SECONDS) };
  return startIdcard({ KEY_SET, PUBLIC_URL, ...ttl, ...env }, SERVER_CORE);
}

function verifications(clients: readonly Client[]): LoadRequest[] {
  return clients.map((client) => ({ path: '/v1/verify', headers: bearer(client) }));
}

function loadOf({ address }: ShippedServer, requests: readonly LoadRequest[]): Load {
  return createLoad({ address, connections: 20, requests });
}

function keysOf({ keySet }: Issuer): unknown[] {
  return JSON.parse(keySet).keys;
}

function tableOf(
  { title, method, isFree }: Dimension,
  samples: ReadonlyMap<string, readonly Sample[]>,
): Table {
  const [first = []] = samples.values();
  return {
    title,
    method: `CPU time of GET /v1/verify of \`idcard serve\`. ${method}`,
    columns: [CPU, RELATIVE],
    rows: [...samples].map(([name, own]) => {
      const relative = ratios(first, own).byCpu;
      return {
        name,
        own: true,
        figures: {
          [CPU]: spreadOf(own.map((sample) => sample.cpuMicrosecondsPerRequest)),
          [RELATIVE]: relative,
        },
        ...(isFree && own !== first && { goal: { text: `≤ ${FLAT}`, reached: relative.median <= FLAT } }),
      };
    }),
    chart: { column: CPU, kind: 'growth' },
  };
}
