import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADA, decode } from './support/app.ts';
import { findFreePort, runNode, type ServerProcess, startServer } from './support/process.ts';

/** An empty project of somebody else, with the package as `npm pack` makes it. */
const project = mkdtempSync(join(tmpdir(), 'idcard-package-'));
const [embedding = '', directory = ''] = [
  ...readFileSync('docs/embedding.md', 'utf8').matchAll(/```ts\n(.*?)```/gs),
].map(([, code]) => code);
const inProject = (file: string, ...args: string[]) => promisify(execFile)(file, args, { cwd: project });

let issuer: ServerProcess;

/** How docs/README.md makes the package and installs it, here and with a Fastify that stays the same. */
const [, packing = ''] =
  /^### The package$.*?```sh\nnpm ci\n(.*?)```/ms.exec(readFileSync('docs/README.md', 'utf8')) ?? [];
const commands = packing.replaceAll('../my-service', project).replace('fastify@5', 'fastify@5.12.8');

beforeAll(async () => {
  writeFileSync(join(project, 'package.json'), '{"name":"somebodys","type":"module","private":true}');
  const env = { ...process.env, npm_config_prefer_offline: 'true' };
  expect(commands).toContain('npm install');
  await promisify(execFile)('bash', ['-ec', commands], { env, maxBuffer: 2 ** 26 });
  // What a program in TypeScript has anyway.
  mkdirSync(join(project, 'node_modules/@types'), { recursive: true });
  symlinkSync(resolve('node_modules/@types/node'), join(project, 'node_modules/@types/node'));
  issuer = await startServer();
}, 240_000);
afterAll(async () => {
  await issuer?.stop();
  rmSync(project, { recursive: true, force: true });
});

/** Writes a program into the project, checks its types as strictly as can be, and runs it to its end. */
async function run(name: string, program: string, env: Record<string, string> = {}) {
  const file = join(project, `${name}.ts`);
  writeFileSync(file, program);
  const flags = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2024', '--types', 'node'];
  await inProject(
    process.execPath,
    resolve('node_modules/typescript/bin/tsc'),
    ...flags,
    '--skipLibCheck',
    'false',
    file,
  ).catch(({ stdout }) => expect(stdout).toBe(''));
  return runNode([file], { env, cwd: project });
}

test('publint finds nothing to object to', async () => {
  const { messages } = await publint({
    pkgDir: join(project, 'node_modules/idcard'),
    pack: false,
    strict: true,
  });
  expect(messages).toEqual([]);
});

test('an older Fastify is warned of, and has no second one beside it, whose types would be others', async () => {
  const older = ['install', '--dry-run', '--prefer-offline', 'fastify@5.12.7'];
  const { stdout, stderr } = await inProject('npm', ...older);
  expect(stderr).toContain('peer fastify@"^5.12.8" from idcard');
  expect(stdout).toContain('change fastify 5.12.8 => 5.12.7');
  expect(stdout).not.toContain('add fastify');
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

test('the verifier and its test kit work in a service', async () => {
  const program = `import Fastify from 'fastify';
    import { idcard } from 'idcard/verifier';
    import { createTestIssuer } from 'idcard/verifier/testing';
    const { options, mintToken } = createTestIssuer();
    const app = Fastify();
    await app.register(idcard, options);
    app.get('/', { preHandler: app.requireLogin({ roles: ['clerk'] }) }, async ({ claims }) => claims.sub);
    const ask = async (token: string) => (await app.inject({ url: '/', headers: { authorization: 'Bearer ' + token } })).statusCode;
    console.log(JSON.stringify([await ask(mintToken({ roles: ['clerk'] })), await ask(mintToken()), await ask('x.y.z')]));
    // @ts-expect-error: the options are typed
    const wrong = () => app.requireLogin({ role: 'clerk' });
    await app.close();`;
  const { stdout, stderr } = await run('service', program);
  expect([stderr, JSON.parse(stdout)]).toEqual(['', [200, 403, 401]]);
}, 60_000);

test('the client logs in and calls', async () => {
  const program = `import { bearer, createClient } from 'idcard/client';
    const client = createClient({ url: '${issuer.url}', transport: bearer() });
    await client.register(${JSON.stringify(ADA)});
    await client.login(${JSON.stringify(ADA)});
    const answer = await client.fetch('${issuer.url}/v1/me');
    console.log(((await answer.json()) as { email: string }).email);`;
  const { stdout, stderr } = await run('client', program);
  expect([stderr, stdout]).toEqual(['', `${ADA.email}\n`]);
}, 60_000);
