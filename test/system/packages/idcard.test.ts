import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import packageJson from '../../../package.json' with { type: 'json' };
import { PACKAGES } from '../../../scripts/pack/packages.ts';
import { ADA, decode } from '../../support/app.ts';
import { isDead, linksOf } from '../../support/links.ts';
import { createProject, lacksRuntimes, NODE_20, runIn } from '../../support/packages.ts';
import { findFreePort, runNode } from '../../support/process.ts';

const [embedding = '', directory = ''] = [
  ...readFileSync('docs/embedding.md', 'utf8').matchAll(/```ts\n(.*?)```/gs),
].map(([, code]) => code);

/** How docs/README.md has the packages made, and installed in a project beside the checkout. */
const section = /^### The packages$.*?^## /ms.exec(readFileSync('docs/README.md', 'utf8'))?.[0] ?? '';
const [packing = '', installing = ''] = [...section.matchAll(/```sh\n(.*?)```/gs)].map(([, text]) => text);

let project: string;

beforeAll(async () => {
  project = createProject();
  mkdirSync('packages', { recursive: true });
  writeFileSync('packages/idcard-0.0.9.tgz', 'of another version');
  await runIn('.', 'bash', ['-ec', packing.replace('npm ci\n', '')]);
  const commands = installing
    .replaceAll('../idcard', process.cwd())
    .replaceAll('fastify@5', 'fastify@5.12.8');
  await runIn(project, 'bash', ['-ec', commands]);
  // What a program in TypeScript has anyway.
  mkdirSync(join(project, 'node_modules/@types'), { recursive: true });
  symlinkSync(resolve('node_modules/@types/node'), join(project, 'node_modules/@types/node'));
}, 240_000);
afterAll(() => rmSync(project, { recursive: true, force: true }));

/** Writes a program into the project, checks its types as strictly as can be, and runs it to its end. */
async function run(name: string, program: string, env: Record<string, string> = {}) {
  const file = join(project, `${name}.mts`);
  writeFileSync(file, program);
  const flags = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2024', '--types', 'node'];
  await runIn(project, process.execPath, [
    resolve('node_modules/typescript/bin/tsc'),
    ...flags,
    '--skipLibCheck',
    'false',
    file,
  ]).catch(({ stdout }) => expect(stdout).toBe(''));
  return runNode([file], { env, cwd: project });
}

const names = Object.keys(PACKAGES);

test('npm run pack leaves the three packages and nothing else', () => {
  expect(readdirSync('packages')).toEqual(names.map((name) => `${name}-${packageJson.version}.tgz`).sort());
});

describe.each(names)('%s', (name) => {
  const inPackage = (path: string) => join(project, 'node_modules', name, path);

  test('publint finds nothing to object to', async () => {
    const { messages } = await publint({ pkgDir: inPackage('.'), pack: false, strict: true });
    expect(messages).toEqual([]);
  });

  test('it has its licence, and every link of its pages leads somewhere in it', () => {
    expect(readFileSync(inPackage('LICENSE'), 'utf8')).toBe(readFileSync('LICENSE', 'utf8'));
    const pages = globSync('**/*.md', { cwd: inPackage('.'), exclude: ['node_modules'] });
    expect(pages).toContain('README.md');
    expect(linksOf(pages.map(inPackage)).filter(isDead)).toEqual([]);
  });
});

test('what were subpaths of idcard are packages of their own', async () => {
  for (const path of ['client', 'verifier', 'verifier/testing']) {
    const { stderr } = await runNode(['--eval', `import('idcard/${path}')`], { cwd: project });
    expect(stderr).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED');
  }
});

test.skipIf(lacksRuntimes)('on Node.js 20 the command says what it needs', async () => {
  const bin = join(project, 'node_modules/.bin/idcard');
  await expect(runIn(project, bin, ['--help'], NODE_20)).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^idcard needs Node\.js 24 or later and this is v20\..*\n$/),
  });
});

test('the command serves, and knows its users', async () => {
  const bin = join(project, 'node_modules/.bin/idcard');
  const env = {
    PATH: process.env.PATH ?? '',
    PORT: String(await findFreePort()),
    DATA_DIR: join(project, 'served'),
  };
  const server = spawn(bin, ['serve'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  await once(server.stderr, 'data'); // the greeting
  const answer = await fetch(`http://localhost:${env.PORT}/v1/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(ADA),
  });
  expect(answer.status).toBe(201);
  const { stdout } = await promisify(execFile)(bin, ['users', 'list'], { env });
  expect(stdout).toContain(ADA.email);
  server.kill('SIGINT');
  expect(await once(server, 'close')).toEqual([0, null]);
});

test('buildApp is embedded as docs/embedding.md says, with claims and routes of its own', async () => {
  const port = await findFreePort();
  const url = `http://localhost:${port}`;
  const program = `${embedding.replaceAll('3000', String(port)).replace("'./data'", "'./embedded'")}
    const post = (path: string, body: object) => fetch('${url}' + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    await post('/v1/register', ${JSON.stringify(ADA)});
    const { access_token } = await (await post('/v1/login', ${JSON.stringify(ADA)})).json();
    const verified = await fetch('${url}/v1/verify', { headers: { authorization: 'Bearer ' + access_token } });
    const page = await fetch('${url}/docs/swagger-ui.css');
    const orders = [await fetch('${url}/orders'), await fetch('${url}/orders', { headers: { authorization: 'Bearer ' + access_token } })];
    const all = await fetch('${url}/orders/all', { headers: { authorization: 'Bearer ' + access_token } });
    const locked = [orders[0]?.status, await orders[1]?.json(), all.status];
    const hello = await (await fetch('${url}/hello')).json();
    console.error(JSON.stringify({ access_token, locked, verified: await verified.json(), hello, page: page.status }));
    process.kill(process.pid, 'SIGTERM');`;
  const { code, stderr } = await run('embedded', program);
  const { access_token, locked, verified, hello, page } = JSON.parse(stderr);
  expect([code, page, hello]).toEqual([0, 200, { hello: 'world' }]);
  expect(decode(access_token)).toMatchObject({ plan: 'free', roles: [] });
  expect(locked).toEqual([401, { of: decode(access_token).sub, plan: 'free' }, 403]);
  expect(verified).toEqual(decode(access_token));
}, 60_000);

test('buildApp takes a directory of its own, as docs/embedding.md shows one', async () => {
  const program = `import { buildApp, readConfig } from 'idcard';
    ${directory}
    const app = await buildApp(readConfig({ DATA_DIR: './own', LOG_LEVEL: 'silent' }), { directory });
    const post = (url: string, body: object, headers = {}) => app.inject({ method: 'POST', url, body, headers });
    const statuses = [(await post('/v1/register', ${JSON.stringify(ADA)})).statusCode, (await post('/v1/register', ${JSON.stringify(ADA)})).statusCode];
    const login = await post('/v1/login', ${JSON.stringify(ADA)});
    const { access_token, refresh_token } = login.json();
    const headers = { authorization: 'Bearer ' + access_token };
    const verify = async () => statuses.push((await app.inject({ url: '/v1/verify', headers })).statusCode);
    await verify();
    statuses.push((await app.inject({ method: 'POST', url: '/v1/logout-everywhere', headers })).statusCode);
    await verify();
    statuses.push((await post('/v1/refresh', { refresh_token })).statusCode);
    await app.close();
    console.log(JSON.stringify(statuses));`;
  const { stdout, stderr } = await run('directory', program);
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual([201, 409, 200, 204, 401, 401]);
}, 60_000);
