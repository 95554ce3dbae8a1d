import { comparisonColumns, comparisonRow, type Goal, goalTable, type Samples } from '../comparison.ts';
import { type Client, createIssuer } from '../issuer.ts';
import { createLoad, type Load } from '../load.ts';
import type { Part, Table } from '../part.ts';
import { PEERS, proveThatItVerifies, startPeers } from '../peers.ts';
import { createProver, fetchNonce, type Prover } from '../prover.ts';
import { startRedis } from '../redis.ts';
import { type Contender, measureInTurn } from '../rounds.ts';
import { type ServerProcess, startServer } from '../server-process.ts';
import { bearer, type Credential, writePeerFile } from '../servers/peer.ts';

const CLIENTS = 1000;
const PROVERS = 100;
/** More than a core checks. */
const PROOFS_PER_SECOND = 20_000;

const BARE = 'the same answer without login';
const BEARER = 'idcard, bearer';
const COOKIE = 'idcard, cookie';
const DPOP = 'idcard, DPoP';
const SIGNATURE = 'one signature checked, nothing else';
const LIVEZ = 'GET /livez';
const BARE_LIVEZ = 'the same in a bare Fastify';

const GOALS: readonly Goal[] = [
  { name: BEARER, reference: BARE, atLeast: 0.85 },
  { name: BEARER, reference: '@fastify/session, Redis', atLeast: 3 },
  { name: BEARER, reference: '@fastify/session, Redis, tuned', atLeast: 3 },
  { name: BEARER, reference: 'one key read from Redis', atLeast: 1 },
  { name: BEARER, reference: '@fastify/jwt', atLeast: 7 },
  { name: COOKIE, reference: BARE, atLeast: 0.75 },
  { name: DPOP, reference: SIGNATURE },
  { name: LIVEZ, reference: BARE_LIVEZ, atLeast: 0.8 },
];

/** A verified request, beside the same answer without any login, and beside what else is in use for it. */
export const verify: Part = {
  name: 'verify',
  async measure({ quick }) {
    const lengths = { rounds: quick ? 1 : 7, seconds: 1 };
    const issuer = createIssuer();
    const clients = issuer.issue(CLIENTS);
    const provers = Array.from({ length: PROVERS }, () => createProver(issuer));
    const redis = await startRedis();
    const PEER_FILE = writePeerFile({
      clients,
      publicKeyPem: issuer.publicKeyPem,
      proofKeyPem: provers[0]?.publicKeyPem,
      redisUrl: redis?.url,
    });
    const idcard = await startServer('idcard.ts', { PEER_FILE, KEY_SET: issuer.keySet });
    const bare = await startServer('livez.ts');
    const peers = await startPeers(PEER_FILE, redis !== undefined);

    const samples = await measureInTurn(
      [
        ...(await plainContenders(idcard, clients)),
        ...(await boundContenders(idcard, provers, lengths.seconds)),
        { name: LIVEZ, server: idcard, load: get(idcard, '/livez') },
        { name: BARE_LIVEZ, server: bare, load: get(bare, '/livez') },
        ...(await peerContenders(peers, clients)),
      ],
      lengths,
    );
    for (const { server } of [{ server: idcard }, { server: bare }, ...peers]) await server.stop();
    await redis?.stop();
    return [compare(samples), goalTable('What verifying is to reach', samples, GOALS)];
  },
};

async function plainContenders(server: ServerProcess, clients: readonly Client[]): Promise<Contender[]> {
  const bearers = clients.map(bearer);
  const cookies = clients.map(({ token }) => ({ cookie: `access=${token}` }));
  for (const credentials of [bearers, cookies])
    await proveThatItVerifies('idcard', server, credentials, clients);
  return [
    { name: BARE, server, load: get(server, '/bare', bearers) },
    { name: BEARER, server, load: get(server, '/v1/verify', bearers) },
    { name: COOKIE, server, load: get(server, '/v1/verify', cookies) },
  ];
}

/** Every proof is accepted once, so each round has its own. */
async function boundContenders(
  server: ServerProcess,
  provers: readonly Prover[],
  seconds: number,
): Promise<Contender[]> {
  const presentAll = async (times: number) => {
    const nonce = await fetchNonce(server.address, provers);
    return Array.from({ length: times }, () => provers.map((prover) => prover.present(nonce))).flat();
  };
  const proofs = await presentAll(1);
  await proveThatItVerifies(DPOP, server, proofs, provers);
  const perRound = (seconds * PROOFS_PER_SECOND) / provers.length;
  const freshLoad = async () => get(server, '/v1/verify', await presentAll(perRound));
  return [
    { name: DPOP, server, load: freshLoad },
    { name: SIGNATURE, server, load: get(server, '/signature', proofs.slice(0, 1)) },
  ];
}

async function peerContenders(
  peers: readonly { name: string; server: ServerProcess }[],
  clients: readonly Client[],
): Promise<Contender[]> {
  for (const { name, server } of peers) await proveThatItVerifies(name, server, server.credentials, clients);
  return peers.map(({ name, server }) => ({
    name,
    server,
    load: get(server, '/v1/verify', server.credentials),
  }));
}

function get({ address }: ServerProcess, path: string, credentials: readonly Credential[] = [{}]): Load {
  return createLoad({
    address,
    connections: 20,
    requests: credentials.map((headers) => ({ path, headers })),
  });
}

function compare(samples: Samples): Table {
  const names = [BARE, BEARER, COOKIE, DPOP, SIGNATURE, ...PEERS.map(({ name }) => name)];
  return {
    ...comparisonColumns,
    title: 'Verifying a request',
    method:
      'How many times as fast as the same answer without any login: GET /v1/verify with the credentials of 1,000 ' +
      'clients in turn. Every server sends the same headers and bytes, and was first seen to refuse a credential in ' +
      'which one character is another. Only the server process counts, and not the one of Redis.',
    rows: names.map((name) => ({
      ...comparisonRow(samples, name, BARE),
      own: [BEARER, COOKIE, DPOP].includes(name),
    })),
  };
}
