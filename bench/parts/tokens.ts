import { comparisonColumns, comparisonRow, type Goal, goalTable, type Samples } from '../comparison.ts';
import { type Client, createIssuer } from '../issuer.ts';
import { createLoad, type Load } from '../load.ts';
import type { Part, Table } from '../part.ts';
import { measureInTurn } from '../rounds.ts';
import { type ServerProcess, startServer } from '../server-process.ts';
import { bearer, writePeerFile } from '../servers/peer.ts';
import { spreadOf } from '../statistics.ts';

/** More than a core verifies. */
const NEW_TOKENS_PER_SECOND = 30_000;
const MEBIBYTE = 1024 ** 2;

const BARE = 'the same answer without login';
const LIVE = 'many tokens in turn';
const VERIFIER = 'a bare ES256 verifier';
const NEW = 'every token new';
const BAD = 'every token badly signed';

const GOALS: readonly Goal[] = [
  { name: LIVE, reference: BARE, atLeast: 0.6 },
  { name: NEW, reference: VERIFIER, atLeast: 0.95 },
  { name: BAD, reference: NEW, atLeast: 1 },
];

/** Where remembering verified tokens helps least: very many of them, none seen before, and forged ones. */
export const tokens: Part = {
  name: 'tokens',
  async measure({ quick }) {
    const lengths = quick ? { rounds: 1, seconds: 1 } : { rounds: 7, seconds: 2 };
    const issuer = createIssuer();
    const clients = issuer.issue(quick ? 30_000 : 100_000);
    const env = {
      KEY_SET: issuer.keySet,
      PEER_FILE: writePeerFile({ clients: clients.slice(0, 1), publicKeyPem: issuer.publicKeyPem }),
    };
    const start = () => startServer('idcard.ts', env);
    const [bare, live, fresh] = [await start(), await start(), await start()];
    const idle = [bare.usage().rssBytes, live.usage().rssBytes] as const;
    const forged = clients.map(({ claims, token }) => ({ claims, token: withAnotherSignature(token) }));

    const everyToken = get(live, '/v1/verify', clients);
    await sendAllOnce(everyToken, clients.length);
    const newTokens = async () =>
      get(fresh, '/v1/verify', issuer.issue(NEW_TOKENS_PER_SECOND * lengths.seconds), { once: true });
    const samples = await measureInTurn(
      [
        { name: BARE, server: bare, load: get(bare, '/bare', clients) },
        { name: LIVE, server: live, load: everyToken },
        { name: VERIFIER, server: bare, load: get(bare, '/verifier', clients) },
        { name: NEW, server: fresh, load: newTokens },
        { name: BAD, server: fresh, load: get(fresh, '/v1/verify', forged), refused: true },
      ],
      lengths,
    );
    const grown = {
      [BARE]: bare.usage().rssBytes - idle[0],
      [LIVE]: live.usage().rssBytes - idle[1],
    };
    for (const server of [bare, live, fresh]) await server.stop();
    return [
      compare(samples, clients.length),
      goalTable('What many tokens are to reach', samples, GOALS),
      memory(grown),
    ];
  },
};

function get(
  { address }: ServerProcess,
  path: string,
  clients: readonly Client[],
  options: { once?: boolean } = {},
): Load {
  const requests = clients.map((client) => ({ path, headers: bearer(client) }));
  return createLoad({ address, connections: 20, requests, ...options });
}

async function sendAllOnce(load: Load, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += (await load.run(2)).requests);
}

/** The right shape, and the signature of nothing. */
function withAnotherSignature(token: string): string {
  const middle = token.length - 40;
  return token.slice(0, middle) + (token[middle] === 'A' ? 'B' : 'A') + token.slice(middle + 1);
}

function compare(samples: Samples, count: number): Table {
  const names = [BARE, LIVE, VERIFIER, NEW, BAD];
  return {
    ...comparisonColumns,
    title: 'Many tokens, new tokens and bad ones',
    method:
      'How many times as fast as the same answer without any login: GET /v1/verify by bearer, with ' +
      `${count.toLocaleString('en')} tokens in turn, all seen before; with no token sent twice; and with tokens of ` +
      'the right shape that nobody signed. The bare verifier is fast-jwt with a prebuilt key, in the same route.',
    rows: names.map((name) => ({
      ...comparisonRow(samples, name, BARE),
      own: [LIVE, NEW, BAD].includes(name),
    })),
  };
}

function memory(grown: Readonly<Record<string, number>>): Table {
  const column = 'MiB more than idle';
  return {
    title: 'Memory of many tokens',
    method: 'How much larger the resident set is after all of the above than before the first request.',
    columns: [column],
    rows: Object.entries(grown).map(([name, bytes]) => ({
      name,
      figures: { [column]: spreadOf([bytes / MEBIBYTE]) },
      ...(name === LIVE && { goal: { text: '≤ 100', reached: bytes <= 100 * MEBIBYTE } }),
    })),
  };
}
