/**
 * Requests per second of `GET /v1/verify` with a valid bearer token, as a ratio to the same route, bytes and
 * headers without any login. The two are measured in turn, so that a noisy machine disturbs both alike.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import autocannon from 'autocannon';

const ROUNDS = 9;
const SECONDS = 3;
const TOKENS = 1000;
const USER = { email: 'ada@example.com', password: 'violet otters play chess' };

const server = fork(new URL('server.ts', import.meta.url));
const [{ address }] = (await once(server, 'message')) as [{ address: string }];

async function post(path: string, body: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(address + path, { method: 'POST', headers, body: JSON.stringify(body) });
}

await post('/v1/register', USER);
const first = (await (await post('/v1/login', USER)).json()) as { refresh_token: string };
const tokens: string[] = [];
while (tokens.length < TOKENS) {
  const pair = await (await post('/v1/refresh', { refresh_token: first.refresh_token })).json();
  tokens.push((pair as { access_token: string }).access_token);
}
const verified = await fetch(`${address}/v1/verify`, { headers: { authorization: `Bearer ${tokens[0]}` } });
server.send({ claims: await verified.json() });
const forged = await fetch(`${address}/v1/verify`, { headers: { authorization: `Bearer ${tokens[0]}x` } });
if (verified.status !== 200 || forged.status !== 401)
  throw new Error('The route under test does not verify.');

async function requestsPerSecond(path: string): Promise<number> {
  const requests = tokens.map((token) => ({ path, headers: { authorization: `Bearer ${token}` } }));
  const result = await autocannon({
    url: address,
    connections: 20,
    pipelining: 1,
    duration: SECONDS,
    requests,
  });
  if (result.non2xx > 0) throw new Error(`${result.non2xx} answers of ${path} were not 200.`);
  return result.requests.average;
}

const median = (values: number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const rounds: { bare: number; verify: number }[] = [];
for (let round = 0; round <= ROUNDS; round++) {
  const bare = await requestsPerSecond('/bare');
  const verify = await requestsPerSecond('/v1/verify');
  if (round > 0) rounds.push({ bare, verify }); // the first one warms up
}
server.kill();

const ratios = rounds.map(({ bare, verify }) => verify / bare).toSorted((a, b) => a - b);
console.log(`GET /v1/verify: ${Math.round(median(rounds.map(({ verify }) => verify)))} requests/s (median)`);
console.log(
  `same route without login: ${Math.round(median(rounds.map(({ bare }) => bare)))} requests/s (median)`,
);
console.log(
  `ratio: ${median(ratios).toFixed(2)} (median of ${ROUNDS}, ${ratios[0]?.toFixed(2)} to ${ratios.at(-1)?.toFixed(2)}), ` +
    `${TOKENS} distinct tokens`,
);
