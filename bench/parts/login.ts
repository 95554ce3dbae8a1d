import { setTimeout as sleep } from 'node:timers/promises';
import { hash } from 'argon2';
import { buildArgon2 } from '../argon2-build.ts';
import { comparisonColumns, comparisonRow, type Goal, goalTable, type Samples } from '../comparison.ts';
import { createLoad, type Load } from '../load.ts';
import type { Part, Row, Table } from '../part.ts';
import { ARGON2, PASSWORD } from '../password.ts';
import { type Contender, measureInTurn } from '../rounds.ts';
import { type ServerProcess, startServer } from '../server-process.ts';
import { type ShippedServer, startIdcard } from '../shipped.ts';
import { createUsers, userEmail } from '../users.ts';

const USERS = 100;
const CONNECTIONS = 32;

const RAW = 'argon2 alone';
const LOGIN = 'idcard';
const RAW_BUILT = 'argon2 alone, built for this processor';
const LOGIN_BUILT = 'idcard, argon2 built for this processor';
const NAMES = [RAW, LOGIN, RAW_BUILT, LOGIN_BUILT];

const GOALS: readonly Goal[] = [
  { name: LOGIN, reference: RAW, atLeast: 0.95 },
  { name: LOGIN_BUILT, reference: LOGIN, atLeast: 2 },
  { name: LOGIN_BUILT, reference: RAW_BUILT },
];

/** Logins beside the password hash that each of them needs, both as argon2 comes and built for this machine. */
export const login: Part = {
  name: 'login',
  async measure({ quick }) {
    const lengths = quick ? { rounds: 1, seconds: 1 } : { rounds: 7, seconds: 3 };
    const DATABASE_URL = await createUsers(USERS, { passwordHash: await hash(PASSWORD, ARGON2) });
    const servers: (ServerProcess | ShippedServer)[] = [];
    const raw = async (name: string, env = {}): Promise<Contender> => {
      const server = await startServer('raw-argon2.ts', env, { onOneCore: false });
      servers.push(server);
      return { name, server, load: afterIdle(verifications(server)) };
    };
    const idcard = async (name: string, env = {}): Promise<Contender> => {
      const server = await startIdcard({ DATABASE_URL, RATE_LIMITS: 'off', ...env });
      servers.push(server);
      const load = logins(server);
      await load.run(quick ? 3 : 40); // so few a second that the compiler takes its time
      return { name, server, load: afterIdle(load) };
    };
    const afterIdle = (load: Load) => async () => {
      for (const server of servers) await untilIdle(server);
      return load;
    };

    const contenders = [await raw(RAW), await idcard(LOGIN)];
    const ARGON2_PREBUILD = buildArgon2();
    if (ARGON2_PREBUILD) {
      contenders.push(
        await raw(RAW_BUILT, { ARGON2_PREBUILD }),
        await idcard(LOGIN_BUILT, { ARGON2_PREBUILD }),
      );
    }
    const samples = await measureInTurn(contenders, lengths);
    for (const server of servers) await server.stop();
    const goals = GOALS.filter(({ name }) => samples.has(name));
    return [compare(samples), goalTable('What logins are to reach', samples, goals)];
  },
};

function logins({ address }: ShippedServer): Load {
  const headers = { 'content-type': 'application/json' };
  const requests = Array.from({ length: USERS }, (_, number) => ({
    method: 'POST' as const,
    path: '/v1/login',
    headers,
    body: JSON.stringify({ email: userEmail(number), password: PASSWORD }),
  }));
  return createLoad({ address, connections: CONNECTIONS, requests });
}

function verifications(server: ServerProcess): Load {
  return {
    async run(seconds) {
      server.send({ seconds });
      const done = (await server.nextMessage()) as { requests: number; seconds: number };
      return { ...done, failures: 0, latencyMs: { median: Number.NaN, p99: Number.NaN } };
    },
  };
}

/** Until nothing is left of the logins whose clients have gone. */
async function untilIdle({ usage }: Pick<ServerProcess, 'usage'>): Promise<void> {
  for (let before = -1; before !== usage().cpuSeconds; ) {
    before = usage().cpuSeconds;
    await sleep(50);
  }
}

function compare(samples: Samples): Table {
  return {
    ...comparisonColumns,
    title: 'Logging in',
    method:
      `POST /v1/login of \`idcard serve\` over ${CONNECTIONS} connections, beside a process that verifies the same ` +
      'passwords with the same argon2 package and parameters, one at a time for each core; all have all cores. The CPU ' +
      'time of argon2 alone is that of one hash. The binary that the package brings is for every x86-64; the ' +
      'other is what `npm run build:argon2` builds and the image takes.',
    rows: NAMES.map((name) => ({
      ...(samples.has(name) ? comparisonRow(samples, name, RAW) : notBuilt(name)),
      own: [LOGIN, LOGIN_BUILT].includes(name),
    })),
  };
}

function notBuilt(name: string): Row {
  return { name, figures: { [comparisonColumns.chart.column]: 'cannot be built on this machine' } };
}
