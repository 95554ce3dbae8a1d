/**
 * Requests per second of `GET /v1/verify` as ratios to the same route, bytes and headers without any login, measured in
 * turn, so that a noisy machine disturbs all alike: plain, with 10,000 revocations held, and bound with DPoP.
 */
import { fork } from 'node:child_process';
import { createHash, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import autocannon from 'autocannon';
import { median } from './statistics.ts';

const ROUNDS = 9;
const REQUESTS = 20_000;
const TOKENS = 1000;
const CONNECTIONS = 20;
const USER = { email: 'ada@example.com', password: 'violet otters play chess' };

type Headers = Record<string, string>;

async function start(env: Record<string, string>) {
  const server = fork(new URL('server.ts', import.meta.url), { env: { ...process.env, ...env } });
  process.on('exit', () => server.kill());
  const [{ address }] = (await once(server, 'message')) as [{ address: string }];
  return { server, address };
}

async function post(address: string, path: string, body: object, headers: Headers = {}): Promise<Response> {
  return fetch(address + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

async function requestsPerSecond(
  address: string,
  path: string,
  headers: readonly Headers[],
): Promise<number> {
  const requests = headers.map((each) => ({ path, headers: each }));
  const share = Math.ceil(requests.length / CONNECTIONS);
  let client = 0;
  let answeredAt = 0; // autocannon itself rounds up to whole seconds
  const startedAt = performance.now();
  const result = await autocannon({
    url: address,
    connections: CONNECTIONS,
    amount: REQUESTS,
    setupClient(connection) {
      // Each connection has headers of its own, since a proof is accepted once.
      connection.setRequests(requests.slice(client * share, ++client * share));
      connection.on('response', () => {
        answeredAt = performance.now();
      });
    },
  });
  if (result.non2xx > 0) throw new Error(`${result.non2xx} answers of ${path} were not 200.`);
  return REQUESTS / ((answeredAt - startedAt) / 1000);
}

/** A client of RFC 9449 with a key of its own; each proof is for one request. */
function createProver() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = publicKey.export({ format: 'jwk' });
  const header = encode({ typ: 'dpop+jwt', alg: 'ES256', jwk });
  return (htm: string, htu: string, nonce: string | undefined, token?: string) => {
    const ath = token && createHash('sha256').update(token).digest('base64url');
    const claims = { jti: randomUUID(), htm, htu, iat: Math.floor(Date.now() / 1000), nonce, ath };
    return signJws(`${header}.${encode(claims)}`, privateKey);
  };
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

function signJws(input: string, key: KeyObject): string {
  const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

const plain = await start({ PORT: '3991' });
const revoking = await start({ PORT: '3992', REVOCATIONS: '10000' });
for (const { address, server } of [plain, revoking]) {
  await post(address, '/v1/register', USER);
  const login = await (await post(address, '/v1/login', USER)).json();
  const { access_token } = login as { access_token: string };
  const verified = await fetch(`${address}/v1/verify`, {
    headers: { authorization: `Bearer ${access_token}` },
  });
  const forged = await fetch(`${address}/v1/verify`, {
    headers: { authorization: `Bearer ${access_token}x` },
  });
  if (verified.status !== 200 || forged.status !== 401)
    throw new Error('The route under test does not verify.');
  server.send({ claims: await verified.json() });
}

/** The headers of 1,000 clients, each with a token of its own. */
async function bearerHeaders(address: string): Promise<Headers[]> {
  const first = (await (await post(address, '/v1/login', USER)).json()) as { refresh_token: string };
  const headers: Headers[] = [];
  while (headers.length < TOKENS) {
    const pair = await (await post(address, '/v1/refresh', { refresh_token: first.refresh_token })).json();
    headers.push({ authorization: `Bearer ${(pair as { access_token: string }).access_token}` });
  }
  return headers;
}

const prove = createProver();
const login = `${plain.address}/v1/login`;
const verify = `${plain.address}/v1/verify`;
const nonceOf = (response: Response) => response.headers.get('dpop-nonce') ?? undefined;
const challenge = await post(plain.address, '/v1/login', USER, { dpop: prove('POST', login, undefined) });
const bound = await post(plain.address, '/v1/login', USER, {
  dpop: prove('POST', login, nonceOf(challenge)),
});
const { access_token: boundToken } = (await bound.json()) as { access_token: string };

/** A proof for every request, made before they are sent, since each is accepted once. */
async function dpopHeaders(): Promise<Headers[]> {
  const probe = await fetch(verify, {
    headers: { authorization: `DPoP ${boundToken}`, dpop: prove('GET', verify, undefined, boundToken) },
  });
  return Array.from({ length: REQUESTS }, () => ({
    authorization: `DPoP ${boundToken}`,
    dpop: prove('GET', verify, nonceOf(probe), boundToken),
  }));
}

const plainHeaders = await bearerHeaders(plain.address);
const revokingHeaders = await bearerHeaders(revoking.address);
const rounds: Record<'bare' | 'verify' | 'revocations' | 'dpop', number>[] = [];
for (let round = 0; round <= ROUNDS; round++) {
  const figures = {
    bare: await requestsPerSecond(plain.address, '/bare', plainHeaders),
    verify: await requestsPerSecond(plain.address, '/v1/verify', plainHeaders),
    revocations: await requestsPerSecond(revoking.address, '/v1/verify', revokingHeaders),
    dpop: await requestsPerSecond(plain.address, '/v1/verify', await dpopHeaders()),
  };
  if (round > 0) rounds.push(figures); // the first one warms up
}

function report(name: string, ratios: readonly number[]): void {
  const [low, high] = [Math.min(...ratios), Math.max(...ratios)];
  console.log(
    `${name}: ${median(ratios).toFixed(2)} (median of ${ROUNDS}, ${low.toFixed(2)} to ${high.toFixed(2)})`,
  );
}
console.log(
  `bare route: ${Math.round(median(rounds.map(({ bare }) => bare)))} requests/s, ${TOKENS} distinct tokens`,
);
report(
  'verify / bare',
  rounds.map((each) => each.verify / each.bare),
);
report(
  'verify with 10,000 revocations / verify',
  rounds.map((each) => each.revocations / each.verify),
);
report(
  'verify with DPoP / verify',
  rounds.map((each) => each.dpop / each.verify),
);
