import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pack } from '../../../scripts/pack/pack.ts';
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
import { findFreePort, type ServerProcess, startServer } from '../../support/process.ts';

const FASTIFY = 'fastify@5.12.8';

let project: string;
let tarballs: string[];
let issuer: ServerProcess;

beforeAll(async () => {
  project = createProject();
  issuer = await startServer({ RATE_LIMITS: 'off' });
  tarballs = await pack(['idcard-verifier', 'idcard-client'], project);
  await runIn(project, 'npm', ['install', ...tarballs, FASTIFY]);
}, 120_000);
afterAll(async () => {
  await issuer?.stop();
  rmSync(project, { recursive: true });
});

test('a service has nothing more by it than what it uses', () => {
  const installed = installedIn(project);
  for (const absent of ['pg', 'argon2', 'kysely', 'ioredis', 'commander', '@fastify/cookie'])
    expect(installed).not.toContain(absent);
  const { dependencies } = JSON.parse(
    readFileSync(join(project, 'node_modules/idcard-verifier/package.json'), 'utf8'),
  );
  expect(Object.keys(dependencies)).toEqual(['fast-jwt', 'fastify-plugin', 'zod']);
});

test('an older Fastify is warned of, and has no second one beside it, whose types would be others', async () => {
  const { stdout, stderr } = await runIn(project, 'npm', ['install', '--dry-run', 'fastify@5.12.7']);
  expect(stderr).toContain('peer fastify@"^5.12.8" from idcard-verifier');
  expect(stdout).toContain('change fastify 5.12.8 => 5.12.7');
  expect(stdout).not.toContain('add fastify');
}, 60_000);

test('its types are found however a compiler resolves, and are right', async () => {
  mkdirSync(join(project, 'node_modules/@types'), { recursive: true });
  symlinkSync(resolve('node_modules/@types/node'), join(project, 'node_modules/@types/node'));
  symlinkSync(resolve('node_modules/undici-types'), join(project, 'node_modules/undici-types'));
  const program = `import Fastify from 'fastify';
    import { idcard, type IdcardOptions } from 'idcard-verifier';
    import { createTestIssuer } from 'idcard-verifier/testing';
    const options: IdcardOptions = createTestIssuer().options;
    const app = Fastify();
    app.register(idcard, options);
    app.get('/', { preHandler: app.requireLogin({ roles: ['clerk'] }) }, async ({ claims }): Promise<string> => claims.sub);
    // @ts-expect-error: the options are typed
    const wrong = () => app.requireLogin({ role: 'clerk' });`;
  await compileEverywhere(project, program, ['--types', 'node', '--esModuleInterop', 'true']);
}, 120_000);

/** The test kit, then a service beside a real issuer, and clients: by bearer, bound to a key, by cookie. */
const program = (url: string, port: number) => `
  const run = async (Fastify, { idcard }, { createTestIssuer }, { bearer, createClient, dpop }) => {
    const seen = [];
    const kit = createTestIssuer();
    const tested = Fastify();
    await tested.register(idcard, kit.options);
    tested.get('/', { preHandler: tested.requireLogin({ roles: ['clerk'] }) }, async ({ claims }) => claims.sub);
    for (const token of [kit.mintToken({ roles: ['clerk'] }), kit.mintToken(), 'x.y.z'])
      seen.push((await tested.inject({ url: '/', headers: { authorization: 'Bearer ' + token } })).statusCode);

    const publicUrl = 'http://127.0.0.1:${port}';
    const app = Fastify();
    const allowedOrigins = ['https://app.example.com', 'capacitor://localhost'];
    await app.register(idcard, { issuer: '${url}', internalUrl: '${url}', audience: 'api', publicUrl, allowedOrigins });
    app.get('/me', { preHandler: app.requireLogin() }, async ({ claims }) => claims.sub);
    await app.listen({ host: '127.0.0.1', port: ${port} });
    const user = { email: crypto.randomUUID() + '@example.com', password: '${ADA.password}' };
    for (const transport of [bearer(), dpop()]) {
      const client = createClient({ url: '${url}', transport, origins: [publicUrl] });
      await client.register(user).catch(() => undefined);
      await client.login(user);
      const answer = await client.fetch(publicUrl + '/me?a=1');
      seen.push((await answer.text()) === (await client.user()).id);
    }
    const login = await fetch('${url}/v1/login', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...user, transport: 'cookie' }),
    });
    const cookie = login.headers.getSetCookie().map((text) => text.split(';')[0]).join('; ');
    for (const origin of [allowedOrigins[0], 'https://evil.example'])
      seen.push((await fetch(publicUrl + '/me', { headers: { cookie, origin, 'sec-fetch-site': 'cross-site' } })).status);
    seen.push((await fetch(publicUrl + '/me')).status, app.idcard.state().revocations);
    await app.close();
    console.log(seen.join());
  };`;
const SEEN = '200,403,401,true,true,200,403,401,current\n';
const NAMES = ['fastify', 'idcard-verifier', 'idcard-verifier/testing', 'idcard-client'];

async function runsIn(folder: string, node: string): Promise<void> {
  const text = program(issuer.url, await findFreePort());
  const [app, ...others] = NAMES.map(
    (name, index) => `import${index ? ' * as' : ''} m${index} from '${name}';`,
  );
  writeFileSync(join(folder, 'esm.mjs'), `${app}${others.join('')} ${text} run(m0, m1, m2, m3);`);
  const required = NAMES.map((name) => `require('${name}')`);
  writeFileSync(join(folder, 'cjs.cjs'), `${text} run(${required});`);
  for (const file of ['esm.mjs', 'cjs.cjs'])
    expect((await runIn(folder, node, ['--no-warnings', file])).stdout).toBe(SEEN);
}

test('it verifies on Node.js 24', () => runsIn(project, process.execPath), 60_000);

describe.skipIf(lacksRuntimes)('where the checkout does not run', () => {
  test('it verifies on Node.js 20', () => runsIn(project, NODE_20), 60_000);

  test('yarn 1, which refuses what is for another Node.js, installs it on Node.js 20', async () => {
    const folder = join(project, 'yarn');
    mkdirSync(folder);
    writeFileSync(join(folder, 'package.json'), '{"private":true}');
    await runIn(folder, NODE_20, [YARN, 'add', '--cache-folder', 'cache', tarballs[0] ?? ''], NODE_20);
    const text = `import 'idcard-verifier'; import { createTestIssuer } from 'idcard-verifier/testing';
      console.log(createTestIssuer().mintToken().split('.').length);`;
    writeFileSync(join(folder, 'kit.mjs'), text);
    expect((await runIn(folder, NODE_20, ['kit.mjs'])).stdout).toBe('3\n');
  }, 120_000);
});
