/** Seconds from a ban to the first 401 on a replica that was not asked, 50 times, with the default poll. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../src/clock.ts';
import { openDatabase } from '../src/users/databases/index.ts';
import { createDirectory } from '../src/users/directory.ts';
import { median } from './statistics.ts';

const ROUNDS = 50;
const PORT = 3990;
const folder = mkdtempSync(join(tmpdir(), 'idcard-bench-'));
const address = `http://127.0.0.1:${PORT}`;
const USER = { email: 'ada@example.com', password: 'violet otters play chess' };

const replica = spawn(
  process.execPath,
  [fileURLToPath(new URL('../bin/idcard.js', import.meta.url)), 'serve'],
  {
    env: { DATA_DIR: folder, HOST: '127.0.0.1', PORT: String(PORT), PUBLIC_URL: address, RATE_LIMITS: 'off' },
    stdio: 'ignore',
  },
);
while (!(await fetch(`${address}/livez`).catch(() => undefined))) await sleep(50);

async function post(path: string, body: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(address + path, { method: 'POST', headers, body: JSON.stringify(body) });
}

// The ban is made elsewhere, as by another replica or by an operator: straight in the directory.
const elsewhere = createDirectory(await openDatabase(`sqlite:${join(folder, 'idcard.sqlite')}`), systemClock);
const { id } = (await (await post('/v1/register', USER)).json()) as { id: string };

const seconds: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  await elsewhere.update(id, { status: 'active' });
  const { access_token } = (await (await post('/v1/login', USER)).json()) as { access_token: string };
  const verify = async () =>
    (await fetch(`${address}/v1/verify`, { headers: { authorization: `Bearer ${access_token}` } })).status;
  if ((await verify()) !== 200) throw new Error('The token does not work before the ban.');
  await sleep(Math.random() * 2000); // at any moment between two polls
  await elsewhere.updateAndVoidTokens(id, { status: 'disabled' });
  const bannedAt = performance.now();
  while ((await verify()) !== 401) await sleep(2);
  seconds.push((performance.now() - bannedAt) / 1000);
}
await elsewhere.close();
replica.kill();
rmSync(folder, { recursive: true });

console.log(
  `ban to first 401: median ${median(seconds).toFixed(2)} s, worst ${Math.max(...seconds).toFixed(2)} s, ${ROUNDS} times`,
);
