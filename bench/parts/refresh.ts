import { comparisonColumns, comparisonRow, type Goal, goalTable, type Samples } from '../comparison.ts';
import { SERVER_CORE } from '../cores.ts';
import { createIssuer, PUBLIC_URL } from '../issuer.ts';
import { createLoad } from '../load.ts';
import type { Part, Table } from '../part.ts';
import { issueRefreshTokens } from '../refresh-tokens.ts';
import { measureInTurn } from '../rounds.ts';
import { startServer } from '../server-process.ts';
import { startIdcard } from '../shipped.ts';
import { createUsers, userId } from '../users.ts';
import { sendAtLeast, WARM_UP } from '../warm-up.ts';

const USERS = 1000;

const BARE = 'its cryptography and one indexed read';
const REFRESH = 'idcard';

const GOALS: readonly Goal[] = [{ name: REFRESH, reference: BARE, atLeast: 0.7 }];

/** A refresh, beside a route that does what no refresh can do without. */
export const refresh: Part = {
  name: 'refresh',
  async measure({ quick }) {
    const lengths = quick ? { rounds: 2, seconds: 1 } : { rounds: 7, seconds: 2 };
    const { keySet: KEY_SET } = createIssuer();
    const env = { KEY_SET, PUBLIC_URL, DATABASE_URL: await createUsers(USERS) };
    const ids = Array.from({ length: USERS }, (_, number) => userId(number));
    const bodies = issueRefreshTokens(KEY_SET, ids).map((refresh_token) => JSON.stringify({ refresh_token }));
    const idcard = await startIdcard(env, SERVER_CORE);
    const bare = await startServer('bare-refresh.ts', env);
    await proveThatTheyAnswerAlike([idcard.address, bare.address], bodies[0]);

    const post = (address: string) =>
      createLoad({ address, connections: 20, requests: bodies.map((body) => ({ ...REQUEST, body })) });
    const contenders = [
      { name: BARE, server: bare, load: post(bare.address) },
      { name: REFRESH, server: idcard, load: post(idcard.address) },
    ];
    for (const { load } of contenders) await sendAtLeast(quick ? WARM_UP / 3 : WARM_UP, load);
    const samples = await measureInTurn(contenders, lengths);
    for (const server of [idcard, bare]) await server.stop();
    return [compare(samples), goalTable('What refreshing is to reach', samples, GOALS)];
  },
};

const REQUEST = {
  method: 'POST',
  path: '/v1/refresh',
  headers: { 'content-type': 'application/json' },
} as const;

/** @throws when one of them gives no tokens, or their answers differ in length */
async function proveThatTheyAnswerAlike(addresses: readonly string[], body = ''): Promise<void> {
  const answers = await Promise.all(
    addresses.map((address) => fetch(address + REQUEST.path, { ...REQUEST, body })),
  );
  const lengths = answers.map(({ headers }) => headers.get('content-length'));
  if (answers.some(({ status }) => status !== 200) || new Set(lengths).size > 1)
    throw new Error(`Refreshed with ${answers.map(({ status }) => status)}, in ${lengths} bytes.`);
}

function compare(samples: Samples): Table {
  return {
    ...comparisonColumns,
    title: 'Refreshing',
    method:
      'POST /v1/refresh of `idcard serve` with the tokens of 1,000 users in turn, on SQLite, beside a bare Fastify ' +
      'that checks one HS256 signature, reads one row by its primary key and makes one ES256 and one HS256 signature ' +
      'with prebuilt keys, for an answer of the same headers and length.',
    rows: [BARE, REFRESH].map((name) => ({ ...comparisonRow(samples, name, BARE), own: name === REFRESH })),
  };
}
