import { comparisonColumns, comparisonRow, type Goal, goalTable, type Samples } from '../comparison.ts';
import { type Client, createIssuer } from '../issuer.ts';
import { createLoad, type Load } from '../load.ts';
import type { Part, Table } from '../part.ts';
import { measureInTurn } from '../rounds.ts';
import { type ServerProcess, startServer } from '../server-process.ts';
import { bearer, writePeerFile } from '../servers/peer.ts';
import { spreadOf } from '../statistics.ts';

const TOKENS = 100_000;
const MEBIBYTE = 1024 ** 2;

const BARE = 'the same answer without login';
const LIVE = '100,000 tokens in turn';
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
    const lengths = quick ? { rounds: 2, seconds: 1 } : { rounds: 7, seconds: 1 };
    const issuer = createIssuer();
    const clients = issuer.issue(TOKENS);
    const env = {
      KEY_SET: issuer.keySet,
      PEER_FILE: writePeerFile({ clients: clients.slice(0, 1), publicKeyPem: issuer.publicKeyPem }),
    };
    const start = () => startServer('idcard.ts', env);
    const [bare, live, fresh] = [await start(), await start(), await start()];
    const idleBytes = live.usage().rssBytes;
    const forged = clients.map(({ claims, token }) => ({ claims, token: withAnotherSignature(token) }));

    const everyToken = get(live, '/v1/verify', clients);
    await sendAllOnce(everyToken);
    const samples = await measureInTurn(
      [
        { name: BARE, server: bare, load: get(bare, '/bare', clients) },
        { name: LIVE, server: live, load: everyToken },
        { name: VERIFIER, server: bare, load: get(bare, '/verifier', clients) },
        { name: NEW, server: fresh, load: get(fresh, '/v1/verify', clients, { once: true }) },
        { name: BAD, server: fresh, load: get(fresh, '/v1/verify', forged), refused: true },
      ],
      lengths,
    );
    const grownBytes = live.usage().rssBytes - idleBytes;
    for (const server of [bare, live, fresh]) await server.stop();
    return [compare(samples), goalTable('What many tokens are to reach', samples, GOALS), memory(grownBytes)];
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

async function sendAllOnce(load: Load): Promise<void> {
  for (let sent = 0; sent < TOKENS; sent += (await load.run(2)).requests);
}

/** The right shape, and the signature of nothing. */
function withAnotherSignature(token: string): string {
  const middle = token.length - 40;
  return token.slice(0, middle) + (token[middle] === 'A' ? 'B' : 'A') + token.slice(middle + 1);
}

function compare(samples: Samples): Table {
  const names = [BARE, LIVE, VERIFIER, NEW, BAD];
  return {
    ...comparisonColumns,
    title: 'Many tokens, new tokens and bad ones',
    method:
      'How many times as fast as the same answer without any login: GET /v1/verify by bearer, once all 100,000 tokens ' +
      'were seen; with no token sent twice; and with tokens of the right shape that nobody signed. The bare ' +
      'verifier is fast-jwt with a prebuilt key, in the same route.',
    rows: names.map((name) => comparisonRow(samples, name, BARE)),
  };
}

function memory(grownBytes: number): Table {
  const mebibytes = grownBytes / MEBIBYTE;
  return {
    title: 'Memory of 100,000 tokens',
    method: 'How much larger the resident set is after all of the above than before the first request.',
    columns: ['MiB more than idle'],
    rows: [
      {
        name: LIVE,
        figures: { 'MiB more than idle': spreadOf([mebibytes]) },
        goal: { text: '≤ 100', reached: mebibytes <= 100 },
      },
    ],
  };
}
