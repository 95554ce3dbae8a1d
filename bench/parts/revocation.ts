import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../src/base/clock.ts';
import { openDatabase } from '../../src/database/index.ts';
import { createDirectory } from '../../src/users/directory.ts';
import { createIssuer } from '../issuer.ts';
import type { Part } from '../part.ts';
import { startServer } from '../server-process.ts';
import { writePeerFile } from '../servers/peer.ts';
import { spreadOf } from '../statistics.ts';
import { temporaryPath } from '../temporary.ts';

const POLL_SECONDS = 2;
const USER = { email: 'ada@example.com', password: 'violet otters play chess' };

/** Seconds from a ban to the first 401, on a replica that was not the one that was asked to ban. */
export const revocation: Part = {
  name: 'revocation',
  async measure({ quick }) {
    const bans = quick ? 3 : 25;
    const issuer = createIssuer();
    const database = `sqlite:${temporaryPath('.sqlite')}`;
    const replica = await startServer('idcard.ts', {
      KEY_SET: issuer.keySet,
      DATABASE_URL: database,
      REVOCATION_POLL_SECONDS: String(POLL_SECONDS),
      PEER_FILE: writePeerFile({ clients: issuer.issue(1), publicKeyPem: issuer.publicKeyPem }),
    });
    const post = async (path: string) => {
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(replica.address + path, {
        method: 'POST',
        headers,
        body: JSON.stringify(USER),
      });
      return (await response.json()) as { id: string; access_token: string };
    };
    // The ban is made elsewhere, as by another replica or by an operator: straight in the directory.
    const elsewhere = createDirectory(await openDatabase(database), systemClock);
    const { id } = await post('/v1/register');

    const seconds: number[] = [];
    for (let ban = 0; ban < bans; ban++) {
      await elsewhere.update(id, { status: 'active' });
      const { access_token } = await post('/v1/login');
      const headers = { authorization: `Bearer ${access_token}` };
      const status = async () => (await fetch(`${replica.address}/v1/verify`, { headers })).status;
      if ((await status()) !== 200) throw new Error('The token does not work before the ban.');
      await sleep(Math.random() * POLL_SECONDS * 1000); // at any moment between two polls
      await elsewhere.updateAndVoidTokens(id, { status: 'disabled' });
      const bannedAt = performance.now();
      while ((await status()) !== 401) await sleep(2);
      seconds.push((performance.now() - bannedAt) / 1000);
    }
    await elsewhere.close();
    await replica.stop();
    return [tableOf(seconds)];
  },
};

function tableOf(seconds: readonly number[]) {
  const worst = Math.max(...seconds);
  return {
    title: 'From a ban to the first 401',
    method: `On a replica that was not the one asked to ban, with the default poll of ${POLL_SECONDS} s, at any moment between two polls.`,
    columns: ['seconds', 'worst'],
    rows: [
      {
        name: `a ban, ${seconds.length} times`,
        figures: { seconds: spreadOf(seconds), worst: `${worst.toFixed(2)} s` },
        goal: { text: `≤ ${POLL_SECONDS} s, and the time of the poll`, reached: worst <= POLL_SECONDS + 0.1 },
      },
    ],
  };
}
