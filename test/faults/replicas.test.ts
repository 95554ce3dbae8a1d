import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { ADA, decode, type TokenBody } from '../support/app.ts';
import { execute } from '../support/postgres.ts';
import { run } from '../support/process.ts';
import { lacks } from '../support/system.ts';
import { ask, until } from '../support/workers.ts';
import { droppedOf, ofKind, runDrill } from './support/drill.ts';
import { type System, startSystem } from './support/system.ts';

/** On a slow machine, a rotation waits for slow restarts. */
const TIMEOUT_MS = 300_000;

const SETTINGS = { SHUTDOWN_DELAY_SECONDS: '1', PASSWORD_QUEUE_SECONDS: '60', JWKS_MAX_AGE_SECONDS: '1' };

/** Starts a replica again, and waits until nginx gives it requests. */
async function bringBack(system: System, index: number): Promise<void> {
  await system.start(index);
  await until(() => system.replica(index).stdout().includes('token.refreshed'));
}

/** @returns their exit codes */
async function restart(system: System, indexes: readonly number[]): Promise<(number | null)[]> {
  const codes: (number | null)[] = [];
  for (const index of indexes) {
    codes.push(await system.replica(index).stop());
    await bringBack(system, index);
  }
  return codes;
}

async function expectRestartsToCostNothing(system: System): Promise<void> {
  let codes: (number | null)[] = [];
  const outcome = await runDrill(system, {
    name: 'both replicas are restarted, one after the other',
    async strike() {
      codes = await restart(system, [0, 1]);
    },
  });
  expect(droppedOf(outcome)).toEqual([]);
  expect(codes).toEqual([0, 0]);
}

describe.skipIf(lacks('nginx'))('of two replicas behind nginx,', { timeout: TIMEOUT_MS }, () => {
  let system: System;
  let startSeconds: number;
  beforeAll(async () => {
    system = await startSystem({ env: SETTINGS });
    await system.replica(0).stop();
    const startMs = performance.now();
    await system.start(0);
    startSeconds = (performance.now() - startMs) / 1000;
  });
  afterAll(() => system?.remove());

  test('one that is killed takes with it the registrations that it was working on, and nothing else', async () => {
    let killedMs = 0;
    const outcome = await runDrill(system, {
      name: 'a replica is killed, and started again after 2 s',
      async strike() {
        await system.replica(0).stop('SIGKILL');
        killedMs = performance.now();
      },
      lastsMs: 2000,
      mend: () => bringBack(system, 0),
    });
    const dropped = droppedOf(outcome);
    expect(ofKind(dropped, 'register')).toEqual(dropped);
    expect(dropped.filter(({ startedMs }) => startedMs > killedMs)).toEqual([]);
  });

  test('both are restarted, one after the other, and no request fails', () =>
    expectRestartsToCostNothing(system));

  test.each([
    ['the first one first', [0, 1]],
    ['the second one first', [1, 0]],
  ])('the keys are rotated, restarting %s, and no request fails', async (order, indexes) => {
    const outcome = await runDrill(system, {
      name: `the keys are rotated, restarting ${order}`,
      async strike() {
        const delay = Math.ceil(10 + 5 * startSeconds); // the restarts have to fit into it, on a slow machine too
        const args = ['keys', 'rotate', '--activate-in', String(delay), '--json'];
        const { stdout } = await run(args, { env: system.settings });
        const { kids, signs_from }: { kids: string[]; signs_from: string } = JSON.parse(stdout);
        await restart(system, indexes);
        const signsFromMs = Date.parse(signs_from);
        expect(Date.now(), 'both were restarted in time').toBeLessThan(signsFromMs);
        await sleep(signsFromMs + 1000 - Date.now());
        const { text } = await ask(`${system.url}/v1/login`, { body: ADA });
        const tokens: TokenBody = JSON.parse(text);
        expect(kids).toContain(decode(tokens.access_token, 0).kid);
      },
    });
    expect(droppedOf(outcome)).toEqual([]);
  });

  test('one email registered 100 times at once is one user', async () => {
    const email = 'eve@example.com';
    const addresses = [0, 1].map((index) => system.addressOf(index));
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, turn) =>
        ask(`${addresses[turn % 2]}/v1/register`, { body: { ...ADA, email } }),
      ),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([201, ...Array<number>(99).fill(409)]);
    const rows = await execute(system.databaseUrl, `SELECT id FROM idcard_users WHERE email = '${email}'`);
    expect(rows).toHaveLength(1);
  });
});

test.skipIf(lacks('nginx'))(
  'two replicas of two workers each are restarted, one after the other, and no request fails',
  { timeout: TIMEOUT_MS },
  async () => {
    const system = await startSystem({ env: { ...SETTINGS, WORKERS: '2' } });
    onTestFinished(() => system.remove());
    await expectRestartsToCostNothing(system);
  },
);
