import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient, type Exchange } from '../client.ts';
import { emailOf, idOf } from '../filled-databases.ts';
import { createIssuer, PUBLIC_URL } from '../issuer.ts';
import type { Row, Table } from '../part.ts';
import { PASSWORD } from '../password.ts';
import { issueRefreshTokens } from '../refresh-tokens.ts';
import { bearer } from '../servers/peer.ts';
import { startIdcard } from '../shipped.ts';
import { spreadOf } from '../statistics.ts';
import type { Filled } from './directory.ts';

const IDLE = 'MiB when idle';
const USED = 'MiB afterwards';
const MORE = 'MiB more than with the fewest';
const MOST_MORE = 10;
const MEBIBYTE = 1024 ** 2;
const AT_ONCE = 16;

/** What a process has in memory before and after it had to do with many users. */
export async function memoryTable(databases: readonly Filled[], times: number): Promise<Table> {
  const rows: Row[] = [];
  const fewest = new Map<string, number>();
  for (const database of databases) {
    const [idle, used] = await memoryOf(database, times);
    const few = fewest.get(database.name);
    if (few === undefined) fewest.set(database.name, used);
    rows.push({
      name: `${database.name}, ${database.count.toLocaleString('en')}`,
      own: true,
      figures: {
        [IDLE]: spreadOf([idle]),
        [USED]: spreadOf([used]),
        [MORE]: spreadOf([used - (few ?? used)]),
      },
      ...(few !== undefined && { goal: { text: `≤ ${MOST_MORE}`, reached: used - few <= MOST_MORE } }),
    });
  }
  return {
    title: 'Directory: the memory of a replica',
    method:
      `Of \`idcard serve\`, resident: a second after its start, and after ${times.toLocaleString('en')} logins, refreshes ` +
      `and verifications each, of any users, ${AT_ONCE} at once.`,
    columns: [IDLE, USED, MORE],
    rows,
  };
}

async function memoryOf({ url, count }: Filled, times: number): Promise<[idle: number, used: number]> {
  const issuer = createIssuer();
  const server = await startIdcard({
    DATABASE_URL: url,
    KEY_SET: issuer.keySet,
    PUBLIC_URL,
    RATE_LIMITS: 'off',
  });
  await sleep(1000);
  const idle = server.usage().rssBytes / MEBIBYTE;
  const numbers = Array.from({ length: times }, () => 10 * randomInt(count / 10) + 5); // none that was voided or deleted
  await sendAll(server.address, [
    ...numbers.map((number) => post('/v1/login', { email: emailOf(number), password: PASSWORD })),
    ...issueRefreshTokens(issuer.keySet, numbers.map(idOf)).map((refresh_token) =>
      post('/v1/refresh', { refresh_token }),
    ),
    ...issuer
      .issue(times)
      .map((client) => ({ method: 'GET', path: '/v1/verify', headers: bearer(client) }) as const),
  ]);
  const used = server.usage().rssBytes / MEBIBYTE;
  await server.stop();
  return [idle, used];
}

function post(path: string, body: object): Exchange {
  return { method: 'POST', path, body };
}

/** @throws when one is refused otherwise than by a server that is busy */
async function sendAll(address: string, exchanges: readonly Exchange[]): Promise<void> {
  const send = createClient(address);
  const rest = exchanges.values();
  const sendInTurn = async () => {
    for (const exchange of rest) {
      let answer = await send(exchange);
      while (answer.status === 503) {
        await sleep(1000 * Number(answer.headers['retry-after']));
        answer = await send(exchange);
      }
      if (answer.status !== 200) throw new Error(`${exchange.path} answered ${answer.status}.`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sendInTurn));
}
