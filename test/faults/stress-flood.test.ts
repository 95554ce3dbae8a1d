import { rmSync } from 'node:fs';
import { Agent, type IncomingMessage, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ADA } from '../support/app.ts';
import { run, startServer, temporaryFolder } from '../support/process.ts';
import { logIn, memoryOf, printFigures, verify } from './stress-support.ts';

const CLIENTS = 500;
const SECONDS = 10;
const MOST_MEBIBYTES = 128;
const BODY = JSON.stringify({ email: ADA.email, password: ADA.password });

test.each([
  ['who wait as Retry-After says', true],
  ['who try again at once', false],
])('500 logins at once, %s, stay within 128 MiB, and verification goes on', async (name, areHeeding) => {
  const DATA_DIR = temporaryFolder();
  const server = await startServer({
    DATA_DIR,
    RATE_LIMITS: 'off',
    PASSWORD_HASHES_AT_ONCE: '2',
    NODE_OPTIONS: '--max-semi-space-size=4', // as `npm start` has it
  });
  expect((await run(['users', 'add', ADA.email], { env: { DATA_DIR }, input: ADA.password })).code).toBe(0);
  await sleep(1000);
  const idle = memoryOf(server);
  const { access_token } = await logIn(server.url, ADA.email);
  const agent = new Agent({ keepAlive: true });
  const end = performance.now() + SECONDS * 1000;
  let logins = 0;
  let refused = 0;
  async function logInAgainAndAgain(): Promise<void> {
    while (performance.now() < end) {
      const { statusCode, headers } = await post(`${server.url}/v1/login`, agent);
      if (statusCode === 200) logins++;
      else {
        expect(statusCode).toBe(503);
        expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
        refused++;
        if (areHeeding) await sleep(Number(headers['retry-after']) * 1000);
      }
    }
  }
  const flood = Promise.all(Array.from({ length: CLIENTS }, logInAgainAndAgain));
  let peak = 0;
  while (performance.now() < end) {
    expect(await verify(server.url, access_token)).toBe(200);
    peak = Math.max(peak, memoryOf(server));
    await sleep(50);
  }
  await flood;
  agent.destroy();
  const grown = Math.round(peak - idle);
  printFigures(`500 logins at once, ${name}, ${grown} MiB more than idle`, logins + refused, refused, 0);
  expect(logins).toBeGreaterThan(0);
  expect(refused).toBeGreaterThan(0);
  expect(grown).toBeLessThan(MOST_MEBIBYTES);
  await logIn(server.url, ADA.email);
  await server.stop();
  rmSync(DATA_DIR, { recursive: true });
});

function post(url: string, agent: Agent): Promise<IncomingMessage> {
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(BODY) };
  return new Promise((resolve, reject) => {
    request(url, { method: 'POST', agent, headers }, (response) => {
      response.resume().on('end', () => resolve(response));
    })
      .on('error', reject)
      .end(BODY);
  });
}
