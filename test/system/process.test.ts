import { execFile, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, chownSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { describe, expect, type TestContext, test } from 'vitest';
import { generateKeySet } from '../../src/proofs/keys/key-rotation.ts';
import { ADA, bearer, type TokenBody } from '../support/app.ts';
import { oldNode } from '../support/old-node.ts';
import { bin, findFreePort, run, startServer, temporaryFolder } from '../support/process.ts';

const execute = promisify(execFile);

const RFC_7515_A1 = 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow';

/** A folder that its test takes with it. */
function newFolder({ onTestFinished }: Pick<TestContext, 'onTestFinished'>): string {
  const folder = temporaryFolder();
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function post(url: string, body: object = ADA): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
}

/** Registers Ada and logs her in. */
async function firstTokens(url: string): Promise<TokenBody> {
  expect((await post(`${url}/v1/register`)).status).toBe(201);
  return (await (await post(`${url}/v1/login`)).json()) as TokenBody;
}

describe('a first start', () => {
  test('creates the data folder, the database and the keys, for nobody else to read', async (context) => {
    const DATA_DIR = join(newFolder(context), 'deep', 'data');
    const server = await startServer({ DATA_DIR });
    const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
    expect(mode(DATA_DIR)).toBe('700');
    const files = readdirSync(DATA_DIR);
    expect(files).toEqual(expect.arrayContaining(['idcard.sqlite', 'keys.json']));
    expect(files.map((file) => mode(join(DATA_DIR, file)))).toEqual(files.map(() => '600'));
    expect(files.filter((file) => file.endsWith('.tmp'))).toEqual([]);
    expect(await server.stop()).toBe(0);
  });

  test.each(['15', '64'])(
    'prints lines that register and log in, with passwords of %s characters or more',
    async (PASSWORD_MIN_LENGTH) => {
      const server = await startServer({ PASSWORD_MIN_LENGTH });
      expect(server.stderr()).toContain(`idcard serves on ${server.url}\n`);
      const lines = server
        .stderr()
        .split('\n')
        .filter((line) => line.startsWith('  curl '));
      const answers: string[] = [];
      for (const line of lines) {
        const { stdout } = await execute('bash', ['-c', `${line} --silent --write-out ' %{http_code}'`]);
        answers.push(stdout);
      }
      expect(answers).toEqual([
        expect.stringMatching(/ 201$/),
        expect.stringMatching(/"access_token":.* 200$/),
      ]);
      for (const line of server.stdout().trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('time');
      expect(await server.stop()).toBe(0);
    },
  );

  test.skipIf(process.getuid?.() !== 0)(
    'is followed by others in a volume that Kubernetes gives to a group at each mount',
    async (context) => {
      const volume = newFolder(context);
      const mount = () => {
        // What the kubelet does for fsGroup: 1000.
        chmodSync(volume, 0o2775);
        for (const file of ['', ...readdirSync(volume)]) chownSync(join(volume, file), 0, 1000);
        for (const file of readdirSync(volume)) chmodSync(join(volume, file), 0o660);
      };
      const PORT = String(await findFreePort());
      for (const _start of ['first', 'second', 'third']) {
        mount();
        const child = spawn(process.execPath, [bin(), 'serve'], {
          env: {
            HOST: '127.0.0.1',
            PORT,
            PUBLIC_URL: `http://127.0.0.1:${PORT}`,
            DATA_DIR: volume,
            SHUTDOWN_DELAY_SECONDS: '0',
          },
          stdio: ['ignore', 'ignore', 'pipe'],
        });
        const ended = once(child, 'close');
        const [line] = await once(child.stderr.setEncoding('utf8'), 'data');
        expect(line).toMatch(/^idcard serves on/); // and no warning before it
        const modes = readdirSync(volume).map((file) => statSync(join(volume, file)).mode & 0o777);
        expect(new Set(modes)).toEqual(new Set([0o600]));
        child.kill('SIGTERM');
        expect(await ended).toEqual([0, null]);
      }
    },
  );

  test('gives tokens that a service verifies with a library of its own and the published keys', async () => {
    const server = await startServer({ AUDIENCE: 'orders' });
    const { access_token } = await firstTokens(server.url);
    const metadata = await (await fetch(`${server.url}/.well-known/oauth-authorization-server`)).json();
    const { issuer, jwks_uri } = metadata as { issuer: string; jwks_uri: string };
    expect(issuer).toBe(server.url);
    const keys = createRemoteJWKSet(new URL(jwks_uri));
    const { payload, protectedHeader } = await jwtVerify(access_token, keys, {
      issuer,
      audience: 'orders',
      typ: 'at+jwt',
      algorithms: ['ES256'],
    });
    expect(payload.sub).toMatch(/^[0-9a-f-]{36}$/);
    expect(Number(payload.exp) - Number(payload.iat)).toBe(300);
    expect(protectedHeader).toMatchObject({ alg: 'ES256', typ: 'at+jwt' });
    await expect(jwtVerify(access_token, keys, { issuer, audience: 'billing' })).rejects.toThrow('aud');
    await server.stop();
  });

  test('of two processes on one folder at once ends with one key set, and both serve', async (context) => {
    const DATA_DIR = join(newFolder(context), 'data');
    const PUBLIC_URL = 'http://localhost:3000';
    const ports = await Promise.all([1, 2].map(findFreePort));
    const servers = await Promise.all(
      ports.map((port) => startServer({ DATA_DIR, PUBLIC_URL, PORT: String(port) })),
    );
    const urls = ports.map((port) => `http://127.0.0.1:${port}`);
    const jwks = await Promise.all(
      urls.map(async (url) => (await fetch(`${url}/.well-known/jwks.json`)).text()),
    );
    expect(new Set(jwks).size).toBe(1);
    const { access_token, refresh_token } = await firstTokens(urls[0] ?? '');
    for (const url of urls) {
      expect((await fetch(`${url}/v1/verify`, { headers: bearer(access_token) })).status).toBe(200);
      expect((await post(`${url}/v1/refresh`, { refresh_token })).status).toBe(200);
    }
    expect(readdirSync(DATA_DIR).filter((file) => file.endsWith('.tmp'))).toEqual([]);
    expect(await Promise.all(servers.map(({ stop }) => stop()))).toEqual([0, 0]);
  });
});

describe('a stop', () => {
  test('by SIGTERM: not ready at once, serving for the delay, then exit code 0', async () => {
    const server = await startServer({ SHUTDOWN_DELAY_SECONDS: '1' });
    await firstTokens(server.url);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    const start = performance.now();
    const ended = server.stop();
    let ready = await fetch(`${server.url}/readyz`);
    while (ready.status === 200) ready = await fetch(`${server.url}/readyz`); // until the signal has arrived
    expect(ready.status).toBe(503);
    expect((await fetch(`${server.url}/livez`)).status).toBe(200);
    expect((await post(`${server.url}/v1/login`)).status).toBe(200);
    expect(await ended).toBe(0);
    expect(performance.now() - start).toBeGreaterThan(1000);
    expect(server.stdout()).toContain('"event":"server.stopping","signal":"SIGTERM"');
    await expect(fetch(`${server.url}/livez`)).rejects.toThrow();
  });

  test('by SIGTERM answers a request that is in flight', async () => {
    const server = await startServer({ ARGON2_MEMORY_KIB: '65536', ARGON2_TIME_COST: '8' });
    let isAnswered = false;
    const answer = post(`${server.url}/v1/register`).finally(() => {
      isAnswered = true;
    });
    await sleep(150); // it is being hashed
    expect(isAnswered).toBe(false);
    expect(await server.stop()).toBe(0);
    const { status, headers } = await answer;
    expect([status, headers.get('connection')]).toEqual([201, 'close']);
  });

  test('by SIGINT, as Ctrl-C sends it, waits for nobody', async () => {
    const server = await startServer({ SHUTDOWN_DELAY_SECONDS: '60' });
    const silent = connect(Number(new URL(server.url).port), '127.0.0.1');
    await once(silent, 'connect');
    await (await fetch(`${server.url}/livez`)).text(); // and a connection that is kept alive
    expect(await server.stop('SIGINT')).toBe(0);
    silent.destroy();
  });

  test.each([
    ['by another signal', 'SIGINT', 0],
    ['a second later', 'SIGTERM', 1100],
  ] as const)('asked for again %s is at once', async (_, signal, afterMs) => {
    const server = await startServer({ SHUTDOWN_DELAY_SECONDS: '60' });
    process.kill(server.pid, 'SIGTERM');
    while ((await fetch(`${server.url}/readyz`)).status === 200);
    await sleep(afterMs);
    expect(await server.stop(signal)).toBe(1);
  });

  test('or a kill, and a start keep users and tokens', async (context) => {
    const env = { DATA_DIR: newFolder(context), PORT: String(await findFreePort()) };
    let server = await startServer(env);
    const { access_token, refresh_token } = await firstTokens(server.url);
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await server.stop(signal);
      server = await startServer(env);
      expect((await fetch(`${server.url}/v1/me`, { headers: bearer(access_token) })).status).toBe(200);
      expect((await post(`${server.url}/v1/refresh`, { refresh_token })).status).toBe(200);
      expect((await post(`${server.url}/v1/login`)).status).toBe(200);
      expect((await post(`${server.url}/v1/register`)).status).toBe(409);
    }
    await server.stop();
  });
});

/** Runs it, checks everything but what the sentence says, and returns that. */
async function refusal(env: Record<string, string>, secrets: string[] = []): Promise<string> {
  const { code, stdout, stderr } = await run(['serve'], { env });
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/^idcard: [A-Z][^\n]+\.\n$/); // one line, so no stack
  for (const secret of secrets) expect(stderr).not.toContain(secret);
  return stderr;
}

test('a start on an address that is in use ends with one sentence, after less than two seconds of work', async (context) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const PORT = typeof address === 'object' ? String(address?.port) : '';
  const env = { DATA_DIR: newFolder(context), HOST: '127.0.0.1', PORT };
  expect(await refusal(env)).toContain(`The address 127.0.0.1:${PORT} is already in use`);
  // The processor's time and not the clock's, since the machine may be busy with other tests.
  const command = 'TIMEFORMAT="%U %S"; time "$0" "$1" serve';
  const timed = execute('bash', ['-c', command, process.execPath, bin()], { env });
  const { stderr } = await timed.catch((error: { stderr: string }) => error);
  const [user, system] = stderr.trim().split('\n').at(-1)?.split(' ').map(Number) ?? [];
  expect(Number(user) + Number(system)).toBeLessThan(2);
  server.close();
});

describe('a start that cannot succeed ends with one sentence', () => {
  test('when the data folder cannot be made, or the database', async (context) => {
    const folder = newFolder(context);
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(await refusal({ DATA_DIR: join(file, 'data') })).toContain(join(file, 'data'));
    const env = { DATA_DIR: folder, DATABASE_URL: `sqlite:${file}/x.sqlite` };
    expect(await refusal(env)).toContain('cannot be opened');
  });

  test('with a database that it does not know, whose password it keeps to itself', async (context) => {
    const env = { DATA_DIR: newFolder(context), DATABASE_URL: 'mysql://root:zq-secret@db/x' };
    expect(await refusal(env, ['zq-secret'])).toContain('DATABASE_URL must');
  });

  test.for([
    [{ PORT: 'http' }, 'PORT must be a whole number'],
    [{ REFRESH_TOKEN_IDLE_SECONDS: '6000', LOGIN_MAX_AGE_SECONDS: '600' }, 'must not exceed'],
    [{ KEY_SET: '{}', KEY_SET_FILE: '/nowhere' }, 'KEY_SET and KEY_SET_FILE are both set'],
  ] as const)('with the settings %j, and creates nothing', async ([settings, sentence], context) => {
    const folder = newFolder(context);
    expect(await refusal({ DATA_DIR: folder, ...settings })).toContain(sentence);
    expect(readdirSync(folder)).toEqual([]);
  });

  const settings = { algorithm: 'ES256' } as const;
  const [ec, oct] = generateKeySet(settings, 0).keys;
  const [other] = generateKeySet(settings, 0).keys;
  const secret = (bytes: Buffer | string) => ({ kty: 'oct', k: Buffer.from(bytes).toString('base64url') });
  const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });

  test.for([
    ['a short secret', [ec, secret(randomBytes(31))], 'shorter than 32 bytes'],
    ['a text for a secret', [ec, secret('correct horse battery staple, every day')], 'is a text'],
    ['RSA of 2048 bits', [rsa(), oct], '2048 bits, fewer than 3072'],
    [
      'halves of two keys',
      [{ ...ec, ...pick(other, 'd'), kid: undefined }, oct],
      'does not fit its public half',
    ],
    ['a key of a specification', [ec, { kty: 'oct', k: RFC_7515_A1 }], 'is printed in a public document'],
    ['no key for refresh tokens', [ec], 'no key for refresh tokens'],
  ] as const)('with %s in the key file', async ([, keys, sentence], context) => {
    const DATA_DIR = newFolder(context);
    writeFileSync(join(DATA_DIR, 'keys.json'), JSON.stringify({ keys }), { mode: 0o600 });
    const secrets = keys.flatMap((key) => [pick(key, 'd'), pick(key, 'k')].flatMap(Object.values));
    expect(await refusal({ DATA_DIR }, secrets)).toContain(sentence);
  });

  test('with a key set that is no JSON', async (context) => {
    const DATA_DIR = newFolder(context);
    const text = JSON.stringify({ keys: [ec, oct] }).slice(0, -20);
    writeFileSync(join(DATA_DIR, 'keys.json'), text, { mode: 0o600 });
    const secrets = [...Object.values(pick(ec, 'd')), text.slice(0, 20), text.slice(-20)];
    expect(await refusal({ DATA_DIR }, secrets)).toContain('not a private JWK Set');
  });

  test('with a key file that others can read', async (context) => {
    const DATA_DIR = newFolder(context);
    const file = join(DATA_DIR, 'keys.json');
    writeFileSync(file, JSON.stringify({ keys: [ec, oct] }), { mode: 0o644 });
    expect(await refusal({ DATA_DIR })).toContain(`run "chmod 600 ${file}"`);
  });

  /** A member of a key, when it has it. */
  function pick(key: object | undefined, name: string): Record<string, string> {
    const value: unknown = Object(key)[name];
    return typeof value === 'string' ? { [name]: value } : {};
  }
});

test('an old Node gets one sentence and exit code 1', async () => {
  const [node, ...options] = oldNode();
  const failed = await execute(node, [...options, bin(), 'serve']).catch((error: unknown) => error);
  expect(failed).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^idcard needs Node\.js 24 or later and this is v\d+\.[^\n]+\.\n$/),
  });
});
