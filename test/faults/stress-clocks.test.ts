import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADA, bearer, decode } from '../support/app.ts';
import { createProofKey, forgeProof } from '../support/dpop.ts';
import { newDatabase } from '../support/postgres.ts';
import { findFreePort, run, type ServerProcess, startServer, temporaryFolder } from '../support/process.ts';
import { logIn, post, printFigures, register, secondsUntil, verify, wrongClock } from './stress-support.ts';

/** By the clock of this process, which is that of the database. */
const now = () => Date.now() / 1000;

describe('replicas on one database whose clocks are half a minute and ten minutes wrong, fast and slow,', () => {
  const TTL_SECONDS = 12;
  const PUBLIC_URL = 'http://localhost:3000';
  const STEPS = [0, 600, -600, 0, -30];
  const CLOCKS = [[0], [30], [-30], [600], [-600], STEPS];
  const DATA_DIR = temporaryFolder();
  let env: Record<string, string>;
  let replicas: Replica[] = [];
  beforeAll(async () => {
    env = {
      DATA_DIR,
      DATABASE_URL: await newDatabase(),
      PUBLIC_URL,
      RATE_LIMITS: 'off',
      ACCESS_TOKEN_TTL_SECONDS: String(TTL_SECONDS),
      REVOCATION_POLL_SECONDS: '1',
      PASSWORD_QUEUE_SECONDS: '60',
    };
    replicas = await Promise.all(CLOCKS.map((clock) => startReplica({ ...env, ...wrongClock(...clock) })));
    expect((await register(addressOf(0), ADA.email)).status).toBe(201);
  });
  afterAll(async () => {
    await Promise.all(replicas.map(({ stop }) => stop()));
    rmSync(DATA_DIR, { recursive: true });
  });

  const addressOf = (index: number) => replicas.at(index)?.address ?? '';

  test('take the tokens of one another and renew them, while one jumps to and fro', async () => {
    const statuses: number[] = [];
    const { access_token: anyToken } = await logIn(addressOf(0), ADA.email);
    for (let jumps = 1; jumps < STEPS.length; jumps++) {
      process.kill(replicas.at(-1)?.pid ?? 0, 'SIGUSR2');
      // A step ahead may be a machine that was suspended: it counts until the database was asked.
      await verify(addressOf(-1), anyToken);
      await secondsUntil(async () => corrections(replicas.at(-1)).length === jumps, 10);
      for (const issuer of replicas) {
        const { access_token, refresh_token } = await logIn(issuer.address, ADA.email);
        expect(Math.abs(Number(decode(access_token).iat) - now())).toBeLessThan(2);
        for (const { address } of replicas) {
          statuses.push(await verify(address, access_token));
          const renewed = await post(`${address}/v1/refresh`, { refresh_token });
          statuses.push(renewed.status);
          const { access_token: fresh } = (await renewed.json()) as { access_token: string };
          for (const other of replicas) statuses.push(await verify(other.address, fresh));
        }
      }
    }
    const failures = statuses.filter((status) => status !== 200);
    printFigures('Clocks that are wrong by half a minute to ten', statuses.length, failures.length, 0);
    expect(failures).toEqual([]);
  });

  test('end tokens on their second', async () => {
    const tokens = await Promise.all(replicas.map(({ address }) => logIn(address, ADA.email)));
    const endings = tokens.flatMap(({ access_token }) =>
      replicas.map(({ address }) => secondsBeyondItsEnd(address, access_token)),
    );
    for (const { good, bad } of await Promise.all(endings)) {
      expect(good).toBeLessThan(2);
      expect(bad).toBeGreaterThan(-2);
    }
  });

  test('hear of revocations at one another', async () => {
    for (let index = 0; index < replicas.length; index++) {
      const [here, there] = [addressOf(index), addressOf(index - 1)];
      const { access_token, refresh_token } = await logIn(there, ADA.email);
      await post(`${here}/v1/logout-everywhere`, {}, bearer(access_token));
      expect(await secondsUntil(() => isRevoked(there, access_token), TTL_SECONDS)).toBeLessThan(6);
      expect((await post(`${there}/v1/refresh`, { refresh_token })).status).toBe(401);
    }
  });

  test('and of a ban by the idcard command with such a clock', async () => {
    for (const seconds of [600, -600]) {
      const email = `banned${seconds}@example.com`;
      expect((await register(addressOf(0), email)).status).toBe(201);
      const { access_token } = await logIn(addressOf(0), email);
      const ban = await run(['users', 'disable', email], { env: { ...env, ...wrongClock(seconds) } });
      expect(ban.code).toBe(0);
      await secondsUntil(() => isRevoked(addressOf(0), access_token), TTL_SECONDS);
    }
  });

  test('take DPoP nonces of one another', async () => {
    const body = { email: ADA.email, password: ADA.password };
    const proof = (nonce?: string) => ({
      dpop: forgeProof(createProofKey(), { htm: 'POST', htu: `${PUBLIC_URL}/v1/login`, nonce }),
    });
    for (let index = 0; index < replicas.length; index++) {
      const refused = await post(`${addressOf(index)}/v1/login`, body, proof());
      expect(refused.status).toBe(400);
      const nonce = refused.headers.get('dpop-nonce') ?? '';
      expect((await post(`${addressOf(index - 1)}/v1/login`, body, proof(nonce))).status).toBe(200);
    }
  });

  test('say in the log by how much, once for each change', () => {
    expect(replicas.map(corrections)).toEqual([[], [-30], [30], [-600], [600], [-600, 600, 0, 30]]);
  });
});

test('a process on SQLite goes on, however its clock jumps, and whose tokens it refuses meanwhile it takes again', async () => {
  const steps = [0, 600, 0, -600, 600, -600, 86_400, -86_400, 0];
  const server = await startServer({ RATE_LIMITS: 'off', ...wrongClock(...steps) });
  expect((await register(server.url, ADA.email)).status).toBe(201);
  const first = await logIn(server.url, ADA.email);
  const statuses: number[] = [];
  for (const _ of steps) {
    for (let time = 0; time < 3; time++) {
      const { access_token, refresh_token } = await logIn(server.url, ADA.email);
      statuses.push(
        await verify(server.url, access_token),
        await verify(server.url, first.access_token),
        (await post(`${server.url}/v1/refresh`, { refresh_token })).status,
        (await fetch(`${server.url}/.well-known/revocations`)).status,
        (await fetch(`${server.url}/readyz`)).status,
      );
    }
    process.kill(server.pid, 'SIGUSR2');
    await sleep(100);
  }
  const failures = statuses.filter((status) => status !== 200);
  printFigures('A clock that jumps, SQLite', statuses.length, failures.length, 0);
  expect(new Set(failures)).toEqual(new Set([401]));
  expect(await verify(server.url, first.access_token)).toBe(200);
  expect((await post(`${server.url}/v1/refresh`, { refresh_token: first.refresh_token })).status).toBe(200);
  expect(await server.stop()).toBe(0);
});

interface Replica extends ServerProcess {
  /** Where it listens, behind the public URL. */
  address: string;
}

async function startReplica(env: Record<string, string>): Promise<Replica> {
  const PORT = String(await findFreePort());
  return { ...(await startServer({ ...env, PORT })), address: `http://127.0.0.1:${PORT}` };
}

function corrections(replica: ServerProcess | undefined): number[] {
  const lines = replica?.stdout().matchAll(/"event":"clock.corrected","seconds":(-?\d+)/g) ?? [];
  return [...lines].map(([, seconds]) => Number(seconds));
}

async function isRevoked(address: string, token: string): Promise<boolean> {
  const response = await fetch(`${address}/v1/verify`, { headers: bearer(token) });
  return (await response.text()).includes('has been revoked');
}

/** How long after its `exp` a token was still sent with success, and its first refusal arrived. */
async function secondsBeyondItsEnd(address: string, token: string): Promise<{ good: number; bad: number }> {
  const end = Number(decode(token).exp);
  for (let good = Number.NEGATIVE_INFINITY; ; ) {
    const sent = now() - end;
    if ((await verify(address, token)) !== 200) return { good, bad: now() - end };
    good = sent;
    await sleep(50);
  }
}
