import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Target, takeAim } from '../../attacks/target.ts';
import { forge, hmac } from '../../support/forge.ts';
import { findFreePort, runNode, type ServerProcess, startServer } from '../../support/process.ts';
import { isPyJwtHere, PYTHON } from '../../support/python.ts';
import { findProgram, lacks } from '../../support/system.ts';

const blocks = [...readFileSync('docs/verifying.md', 'utf8').matchAll(/```(\w+)\n(.*?)```/gs)];
const block = (language: string, index = 0) =>
  blocks.filter(([, name]) => name === language)[index]?.[2] ?? '';

/** Where Debian has packages for Go. */
const GOPATH = '/usr/share/gocode';

let folder: string;
let issuer: ServerProcess;
let target: Target;

beforeAll(async () => {
  // Inside, a program finds the packages of this one, and "idcard" is this one's source.
  folder = mkdtempSync(join(tmpdir(), 'idcard-verifying-'));
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  issuer = await startServer();
  target = await takeAim(issuer, 'http://127.0.0.1:9/');
});
afterAll(async () => {
  await issuer.stop();
  rmSync(folder, { recursive: true });
});

function write(name: string, program: string): string {
  const path = join(folder, name);
  writeFileSync(path, program);
  return path;
}

/** The program as it stands in the document, but for addresses, and names that are not published here. */
const here = (program: string, port: number) =>
  program
    .replaceAll('http://localhost:3000', issuer.url)
    .replaceAll('4000', String(port))
    .replaceAll("'idcard-verifier'", `'${resolve('src/verifier/index.ts')}'`)
    .replaceAll("'idcard-verifier/testing'", `'${resolve('src/verifier/testing.ts')}'`)
    .replaceAll('"github.com/coreos/go-oidc/v3/oidc"', 'oidc "github.com/coreos/go-oidc"'); // as Debian has it

interface Program {
  ask(token?: string): Promise<{ status: number; body: string }>;
  stop(): Promise<void>;
}

async function start(
  port: number,
  command: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<Program> {
  const child = spawn(command, args, {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: folder, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const complaints = text(child.stderr);
  const ask = async (token?: string) => {
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const response = await fetch(`http://127.0.0.1:${port}/me`, { headers });
    return { status: response.status, body: await response.text() };
  };
  while (!(await ask().catch(() => undefined))) {
    if (hasEnded(child)) throw new Error(`${command} ended: ${await complaints}`);
    await new Promise((wait) => setTimeout(wait, 50));
  }
  return {
    ask,
    async stop() {
      const ended = once(child, 'close');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** Each is refused for a reason of its own. */
const badTokens: Record<string, (aim: Target) => string> = {
  'no token': () => '',
  'a refresh token': ({ real }) => real.refresh,
  'the list of revocations': ({ revocations }) => revocations,
  'typ JWT': ({ token }) => token('access', {}, { typ: 'JWT' }),
  'no typ': ({ token }) => token('access', {}, { typ: undefined }),
  'another issuer': ({ token }) => token('access', { iss: 'http://127.0.0.1:1' }),
  'another audience': ({ token }) => token('access', { aud: 'shop' }),
  'exp a while ago': ({ token, now }) => token('access', { exp: now() - 1 }),
  'a token that is bound to a key': ({ token }) => token('access', { cnf: { jkt: 'a'.repeat(43) } }),
  'an unknown kid': ({ token }) => token('access', {}, { kid: 'unknown' }),
  'alg none': ({ header, claims }) => forge(header('access', { alg: 'none' }), claims('access'), () => ''),
  'HS256 with the public key': ({ header, claims, publicKey }) =>
    forge(
      header('access', { alg: 'HS256' }),
      claims('access'),
      hmac(publicKey.export({ type: 'spki', format: 'pem' }).toString()),
    ),
  'a changed role': ({ real, claims }) => {
    const [head, , signature] = real.access.split('.');
    const forged = Buffer.from(JSON.stringify(claims('access', { roles: ['admin'] }))).toString('base64url');
    return `${head}.${forged}.${signature}`;
  },
};

function verifies(launch: (port: number) => Promise<Program>): void {
  let program: Program;
  beforeAll(async () => {
    program = await launch(await findFreePort());
  }, 120_000);
  afterAll(() => program?.stop());

  test('takes the token of a user', async () => {
    const { sub } = JSON.parse(JSON.stringify(target.claims('access')));
    for (const token of [target.real.access, target.token('access')]) {
      const { status, body } = await program.ask(token);
      expect([status, JSON.parse(body)]).toEqual([200, { sub }]);
    }
  });

  test.each(Object.entries(badTokens))('refuses %s', async (_name, make) => {
    expect((await program.ask(make(target))).status).toBe(401);
  });

  test('refuses a request without a token', async () => {
    expect((await program.ask()).status).toBe(401);
  });
}

describe('the program for Fastify', () => {
  verifies((port) => start(port, process.execPath, [write('fastify.mjs', here(block('js', 0), port))]));
});

test('the program for tests runs to its end', async () => {
  const finished = await runNode([write('testing.mjs', here(block('js', 1), 0))]);
  expect(finished).toEqual({ code: 0, stdout: '', stderr: '' });
});

describe('the program for Express', () => {
  verifies((port) => start(port, process.execPath, [write('express.mjs', here(block('js', 2), port))]));
});

describe.skipIf(!isPyJwtHere())('the program for Python', () => {
  verifies((port) => start(port, PYTHON, [write('service.py', here(block('python'), port))]));
});

describe.skipIf(lacks('go'))('the program for Go', () => {
  verifies(async (port) => {
    mkdirSync(join(folder, 'go'));
    const source = write('go/main.go', here(block('go'), port));
    const binary = join(folder, 'go/service');
    const build = spawn(findProgram('go') ?? 'go', ['build', '-o', binary, source], {
      env: {
        PATH: process.env.PATH ?? '',
        HOME: folder,
        GOPATH,
        GO111MODULE: 'off',
        GOCACHE: join(folder, 'go/cache'),
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const [complaints, [code]] = await Promise.all([text(build.stderr), once(build, 'close')]);
    if (code !== 0) throw new Error(complaints);
    return start(port, binary, []);
  });
});
