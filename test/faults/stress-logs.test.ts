import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ADA } from '../support/app.ts';
import { bin, findFreePort, temporaryFolder } from '../support/process.ts';
import { logIn, printFigures, register, secondsUntil, verify } from './stress-support.ts';

test.runIf(process.platform === 'linux').each([
  ['a disk that is full', 'full'],
  ['a pipe whose reader has ended', 'pipe'],
] as const)(
  'a log on %s stops nothing, and the process can be stopped',
  async (name, kind) => {
    const port = String(await findFreePort());
    const url = `http://127.0.0.1:${port}`;
    const folder = temporaryFolder();
    const full = openSync('/dev/full', 'w');
    const server = spawn(process.execPath, [bin(), 'serve'], {
      env: {
        DATA_DIR: folder,
        HOST: '127.0.0.1',
        PORT: port,
        PUBLIC_URL: url,
        RATE_LIMITS: 'off',
        SHUTDOWN_DELAY_SECONDS: '0',
      },
      stdio: ['ignore', kind === 'full' ? full : 'pipe', 'ignore'],
    });
    closeSync(full);
    server.stdout?.destroy();
    const isUp = () =>
      fetch(`${url}/livez`).then(
        ({ ok }) => ok,
        () => false,
      );
    await secondsUntil(isUp, 30);

    expect((await register(url, ADA.email)).status).toBe(201);
    const statuses: number[] = [];
    for (let time = 0; time < 50; time++) {
      const { access_token } = await logIn(url, ADA.email);
      statuses.push(await verify(url, access_token));
    }
    printFigures(`A log on ${name}`, statuses.length, statuses.filter((status) => status !== 200).length, 0);
    expect(new Set(statuses)).toEqual(new Set([200]));

    const ended = once(server, 'exit');
    server.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    rmSync(folder, { recursive: true });
  },
  60_000,
);
