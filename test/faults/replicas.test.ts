import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADA, decode, type TokenBody } from '../support/app.ts';
import { execute } from '../support/postgres.ts';
import { run } from '../support/process.ts';
import { lacks } from '../support/system.ts';
import { until } from '../support/workers.ts';
import { ofKind, runDrill } from './support/drill.ts';
import { post } from './support/load.ts';
import { type System, startSystem } from './support/system.ts';

/** Time enough for both replicas to be restarted, the keys of a rotation sign from then on. */
const ACTIVATE_IN_SECONDS = 15;

describe.skipIf(lacks('nginx'))('of two replicas behind nginx,', () => {
  let system: System;
  beforeAll(async () => {
    system = await startSystem({
      env: { SHUTDOWN_DELAY_SECONDS: '1', PASSWORD_QUEUE_SECONDS: '60' },
    });
  });
  afterAll(() => system?.remove());

  /** Until a replica that was started again has been given a request. */
  const untilUsed = (index: number) =>
    until(() => system.replica(index).stdout().includes('token.refreshed'));

  test('one that is killed takes with it the POSTs that it was working on, and nothing else', async () => {
    let killedMs = 0;
    const { failures } = await runDrill(system, {
      name: 'a replica is killed, and started again 2 s later',
      async strike() {
        await system.replica(0).stop('SIGKILL');
        killedMs = performance.now();
      },
      lastsMs: 2000,
      async mend() {
        await system.start(0);
        await untilUsed(0);
      },
    });
    expect(ofKind(failures, 'verify')).toEqual([]);
    expect(failures.filter(({ startedMs }) => startedMs > killedMs)).toEqual([]);
  });

  test('both are stopped and started again, one after the other, and no request fails', async () => {
    const codes: (number | null)[] = [];
    const { failures } = await runDrill(system, {
      name: 'both replicas are restarted, one after the other',
      async strike() {
        for (const index of [0, 1]) {
          codes.push(await system.replica(index).stop());
          await system.start(index);
          await untilUsed(index);
        }
      },
    });
    expect(failures).toEqual([]);
    expect(codes).toEqual([0, 0]);
  });

  test.each([
    ['the first one first', [0, 1]],
    ['the second one first', [1, 0]],
  ])('the keys are rotated, restarting %s, and no request fails', async (order, indexes) => {
    const { failures } = await runDrill(system, {
      name: `the keys are rotated, restarting ${order}`,
      async strike() {
        const args = ['keys', 'rotate', '--activate-in', String(ACTIVATE_IN_SECONDS), '--json'];
        const rotated = await run(args, { env: system.settings });
        const { kids, signs_from }: { kids: string[]; signs_from: string } = JSON.parse(rotated.stdout);
        for (const index of indexes) {
          await system.replica(index).stop();
          await system.start(index);
          await untilUsed(index);
        }
        expect(Date.now(), 'both restarted in time').toBeLessThan(Date.parse(signs_from));
        await sleep(Date.parse(signs_from) + 1000 - Date.now());
        const response = await post(`${system.url}/v1/login`, ADA);
        const tokens = (await response.json()) as TokenBody;
        expect(kids).toContain(decode(tokens.access_token, 0).kid);
      },
    });
    expect(failures).toEqual([]);
  });

  test('one email registered 100 times at once is one user', async () => {
    const eve = { email: 'eve@example.com', password: 'violet otters play chess' };
    const answers = await Promise.all(
      Array.from({ length: 100 }, async () => (await post(`${system.url}/v1/register`, eve)).status),
    );
    expect(answers.sort()).toEqual([201, ...Array<number>(99).fill(409)]);
    const stored = await execute(system.databaseUrl, `SELECT id FROM users WHERE email = '${eve.email}'`);
    expect(stored).toHaveLength(1);
  });
});
