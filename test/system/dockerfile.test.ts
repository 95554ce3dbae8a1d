import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findArgon2Build } from '../../bin/argon2-build.js';
import { ADA, bearer, type TokenBody } from '../support/app.ts';
import { findFreePort } from '../support/process.ts';

/** Continued lines joined, comments and blank lines left out. */
const instructions = readFileSync('Dockerfile', 'utf8')
  .replaceAll('\\\n', ' ')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));

/** For the argon2 of the image. A test run brings none; CI has one. */
const hasCompiler = process.env.CI !== undefined || spawnSync('g++', ['--version']).status === 0;

/** The folder that stands for the file system of the last stage. */
let image: string;
let root: string;

function post(url: string): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(ADA),
  });
}

/** Follows the Dockerfile in clean folders, one for each stage; what needs another user is left out. */
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'idcard-image-'));
  for (const instruction of instructions) {
    const [keyword = '', rest = ''] = instruction.split(/ (.*)/s);
    if (keyword === 'FROM') {
      image = join(root, rest.split(' AS ')[1] ?? 'final');
      mkdirSync(join(image, 'app'), { recursive: true });
    }
    if (keyword === 'COPY') copy(rest);
    if (rest.includes('build-argon2') && keyword === 'RUN' && !hasCompiler) {
      mkdirSync(join(image, 'app/argon2-builds'));
    } else if (keyword === 'RUN' && !rest.includes('chown')) {
      execFileSync('bash', ['-c', rest], { cwd: join(image, 'app'), stdio: 'pipe' });
    }
  }
}, 300_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

function copy(argument: string): void {
  const [, stage, paths = ''] = /^(?:--from=(\w+) )?(.*)$/.exec(argument) ?? [];
  const places = paths.split(' ');
  const target = places.pop() ?? '';
  for (const place of places) {
    const source = stage ? join(root, stage, place) : place;
    cpSync(source, join(image, 'app', target === './' ? basename(place) : target), { recursive: true });
  }
}

function commandOf(instruction: string): string[] {
  const [, command = '[]'] =
    /(\[.*\])$/.exec(instructions.find((line) => line.startsWith(instruction)) ?? '') ?? [];
  return JSON.parse(command);
}

test('the image holds the compiled server and production packages alone', () => {
  expect(existsSync(join(image, 'app/dist/cli/main.js'))).toBe(true);
  for (const absent of [
    'src',
    'test',
    'node_modules/vitest',
    'node_modules/typescript',
    'node_modules/.bin/node',
    'node_modules/swagger-ui-dist',
  ]) {
    expect(existsSync(join(image, 'app', absent))).toBe(false);
  }
});

test.each(['1', '2'])('its command serves with WORKERS=%s until SIGTERM, and is healthy', async (WORKERS) => {
  const port = String(await findFreePort());
  const env = {
    PATH: process.env.PATH ?? '',
    NODE_ENV: 'production',
    REGISTRATION: 'open',
    HOST: '0.0.0.0',
    PORT: port,
    WORKERS,
    DATA_DIR: join(root, `data-${WORKERS}`),
    SHUTDOWN_DELAY_SECONDS: '0',
    ...(WORKERS === '2' && { DOCS_PAGE: 'on' }),
  };
  const [, ...serve] = commandOf('CMD');
  const server = spawn(process.execPath, serve, {
    cwd: join(image, 'app'),
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(server, 'close');
  await once(server.stderr, 'data'); // the greeting

  const [, ...healthCheck] = commandOf('HEALTHCHECK');
  execFileSync(process.execPath, healthCheck, { env });
  const address = `http://127.0.0.1:${port}`;
  expect((await post(`${address}/v1/register`)).status).toBe(201);
  const { access_token } = (await (await post(`${address}/v1/login`)).json()) as TokenBody;
  expect((await fetch(`${address}/v1/verify`, { headers: bearer(access_token) })).status).toBe(200);
  expect(await (await fetch(`${address}/openapi.yaml`)).text()).toBe(readFileSync('openapi.yaml', 'utf8'));
  for (const path of [
    '/docs',
    '/docs/page.js',
    '/docs/page.css',
    '/docs/swagger-ui-bundle.js',
    '/docs/swagger-ui.css',
  ]) {
    expect((await fetch(address + path)).status).toBe(WORKERS === '2' ? 200 : 404);
  }
  expect(() =>
    execFileSync(process.execPath, healthCheck, { env: { ...env, PORT: '1' }, stdio: 'pipe' }),
  ).toThrow();

  if (WORKERS === '1' && findArgon2Build(join(image, 'app/argon2-builds/'))) {
    expect(readFileSync(`/proc/${server.pid}/maps`, 'utf8')).toMatch(
      /argon2-builds\/x86-64-v[34]\/.*argon2\.node/,
    );
  }
  server.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
});

test('it runs as an unprivileged user, with its data in a volume', () => {
  expect(instructions).toContain('USER node');
  expect(instructions).toContain('VOLUME /data');
  expect(instructions.indexOf('USER node')).toBeGreaterThan(
    instructions.findLastIndex((line) => line.startsWith('RUN')),
  );
});
