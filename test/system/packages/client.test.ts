import { globSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pack } from '../../../scripts/pack/pack.ts';
import { bearer, createClient } from '../../../src/client/index.ts';
import { ADA } from '../../support/app.ts';
import {
  compileEverywhere,
  createProject,
  installedIn,
  lacksRuntimes,
  NODE_20,
  runIn,
  YARN,
} from '../../support/packages.ts';
import { type ServerProcess, startServer } from '../../support/process.ts';
import { startWorker } from '../../support/workerd.ts';
import { type OtherService, serveOther } from '../client/other-service.ts';

let project: string;
let tarball: string;
let server: ServerProcess;
let other: OtherService;

beforeAll(async () => {
  project = createProject();
  [server, other] = await Promise.all([startServer({ RATE_LIMITS: 'off' }), serveOther()]);
  [tarball = ''] = await pack(['idcard-client'], project);
  await runIn(project, 'npm', ['install', '--offline', tarball]);
  await createClient({ url: server.url, transport: bearer() }).register(ADA);
}, 120_000);
afterAll(async () => {
  await server?.stop();
  other?.close();
  rmSync(project, { recursive: true });
});

/** Logs a new user in, calls with the login, and says who it was. */
const PROGRAM = `
  const run = async ({ bearer, createClient, dpop }, url, other) => {
    const emails = [];
    for (const transport of [bearer(), dpop()]) {
      const user = { email: crypto.randomUUID() + '@example.com', password: '${ADA.password}' };
      const client = createClient({ url, transport, origins: [other] });
      await client.register(user);
      await client.login(user);
      await client.fetch(other + '/orders');
      emails.push((await client.user()).email === user.email);
      await client.logout();
    }
    return emails.join();
  };`;

async function runsIn(folder: string, node: string): Promise<void> {
  const call = `run(client, '${server.url}', '${other.url}').then(console.log)`;
  writeFileSync(join(folder, 'esm.mjs'), `import * as client from 'idcard-client'; ${PROGRAM} ${call};`);
  writeFileSync(join(folder, 'cjs.cjs'), `const client = require('idcard-client'); ${PROGRAM} ${call};`);
  for (const file of ['esm.mjs', 'cjs.cjs'])
    expect((await runIn(folder, node, ['--no-warnings', file])).stdout).toBe('true,true\n');
}

test('it is one package, and a small one, that npm needs nobody for', () => {
  expect(installedIn(project)).toEqual(['idcard-client']);
  const files = globSync(join(project, 'node_modules/idcard-client/**/*'));
  const bytes = files.map((file) => statSync(file)).reduce((sum, { size }) => sum + size, 0);
  expect(bytes).toBeLessThan(100_000);
});

test('its types are found however a compiler resolves, and are right', async () => {
  const program = `import { bearer, createClient, type User } from 'idcard-client';
    const client = createClient({ url: 'https://login.example.com', transport: bearer() });
    export const user: Promise<User | undefined> = client.user();
    // @ts-expect-error: a login has an email
    export const login = () => client.login({ mail: 'ada@example.com', password: '' });`;
  await compileEverywhere(project, program, ['--lib', 'es2022,dom']);
}, 120_000);

test('it logs in and calls on Node.js 24', () => runsIn(project, process.execPath));

describe.skipIf(lacksRuntimes)('where the checkout does not run', () => {
  test('it logs in and calls on Node.js 20', () => runsIn(project, NODE_20));

  test.each(['Node.js 20', 'Node.js 24'])('yarn 1 installs it on %s', async (name) => {
    const node = name === 'Node.js 20' ? NODE_20 : process.execPath;
    const folder = join(project, name.replace(' ', ''));
    mkdirSync(folder);
    writeFileSync(join(folder, 'package.json'), '{"private":true}');
    const cache = join(folder, 'cache');
    await runIn(folder, node, [YARN, 'add', '--offline', '--cache-folder', cache, tarball], node);
    await runsIn(folder, node);
  });

  describe.each(['2023-03-01', '2026-11-01'])('in workerd, as it was on %s', (date) => {
    let worker: Awaited<ReturnType<typeof startWorker>>;
    beforeAll(async () => {
      const program = `
        import * as client from 'idcard-client';
        ${PROGRAM}
        const { bearer, createClient } = client;
        const lasting = createClient({ url: '${server.url}', transport: bearer(), origins: ['${other.url}'] });
        const actions = {
          run: () => run(client, '${server.url}', '${other.url}'),
          login: () => lasting.login(${JSON.stringify(ADA)}),
          user: async () => (await lasting.user())?.email,
          call: async () => (await lasting.fetch('${other.url}/orders')).status,
          moved: () => lasting.fetch('${other.url}/moved').catch((error) => error.name),
        };
        export default {
          fetch: async ({ url }) => new Response(await actions[new URL(url).pathname.slice(1)]?.()),
        };`;
      worker = await startWorker(
        program,
        { 'idcard-client': join(project, 'node_modules/idcard-client/index.js') },
        date,
      );
    });
    afterAll(() => worker?.stop());

    test('it logs in and calls', async () => {
      expect(await worker.ask('run')).toBe('true,true');
    });

    test('a login outlives the request that it was made in', async () => {
      await worker.ask('login');
      expect(await Promise.all(['user', 'user', 'user'].map(worker.ask))).toEqual([
        ADA.email,
        ADA.email,
        ADA.email,
      ]);
    });

    test('requests that find the login over wait for one renewal', async () => {
      await worker.ask('login');
      const before = other.requests.length;
      other.answer = (response, index) => {
        if (index >= before + 3) return;
        response.setHeader('www-authenticate', 'Bearer error="invalid_token"');
        response.statusCode = 401;
      };
      expect(await Promise.all(['call', 'call', 'call'].map(worker.ask))).toEqual(['200', '200', '200']);
      other.answer = () => undefined;
    });

    test('a redirect takes nothing with it', async () => {
      await worker.ask('login');
      const before = other.requests.length;
      other.answer = (response) => response.writeHead(307, { location: `${other.url}/loot` });
      expect(await worker.ask('moved')).toBe('TypeError');
      other.answer = () => undefined;
      expect(other.requests.slice(before).map(({ path }) => path)).toEqual(['/moved']);
    });
  });
});
