import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { buildApp } from '../../src/app.ts';
import { StartupError } from '../../src/base/startup-error.ts';
import { readConfig } from '../../src/config/config.ts';
import { openDatabase } from '../../src/database/index.ts';
import { ADA, addUser, BOB, logIn } from '.././support/app.ts';
import { describe, expect, startIdcard, test } from '.././support/idcard.ts';
import { findFreePort, run, startServer, temporaryFolder } from '.././support/process.ts';

const SENTENCE = /^REGISTRATION must be set [^\n]*\bopen\b[^\n]*\bclosed\b[^\n]*\.$/;

describe('with REGISTRATION=closed', () => {
  test('whatever is sent to POST /v1/register has one answer, and is not looked at', async () => {
    const asked: string[] = [];
    const idcard = await startIdcard({
      env: { REGISTRATION: 'closed' },
      directory: (real) => ({
        ...real,
        findByEmail(email) {
          asked.push('findByEmail');
          return real.findByEmail(email);
        },
        add(user) {
          asked.push('add');
          return real.add(user);
        },
      }),
    });
    await addUser(idcard);
    asked.length = 0;
    const json = { 'content-type': 'application/json' };
    const bodies: [payload: string, headers?: Record<string, string>][] = [
      [JSON.stringify(ADA), json], // taken
      [JSON.stringify(BOB), json],
      [JSON.stringify({ ...BOB, password: 'short' }), json],
      [JSON.stringify({ email: 'x' }), json],
      ['{', json],
      ['x'.repeat(20_000), json],
      ['email=a'],
      [''],
    ];
    const answers = new Set<string>();
    // More than an address has free, were they counted.
    for (let round = 0; round < 20; round++)
      for (const [payload, headers = {}] of bodies) {
        const request = { method: 'POST', url: '/v1/register', payload, headers } as const;
        const { statusCode, body } = await idcard.app.inject(request);
        expect(statusCode).toBe(403);
        answers.add(body);
      }
    expect([...answers].map((body) => JSON.parse(body))).toEqual([
      {
        type: 'urn:idcard:problem:registration-closed',
        title: 'Registration closed',
        status: 403,
        detail: 'Accounts are created by the operator alone: REGISTRATION is closed here.',
      },
    ]);
    expect(asked).toEqual([]);
    await logIn(idcard); // the address has all its attempts
  });

  test('whom the operator adds can log in, and the greeting asks nobody to register', async () => {
    const server = await startServer({ REGISTRATION: 'closed', NODE_ENV: 'production' });
    const env = { DATA_DIR: server.dataDir, NODE_ENV: 'production' };
    expect(server.stderr()).toContain('Registration is closed.');
    expect(server.stderr()).not.toContain('/v1/register');
    const post = (path: string) =>
      fetch(server.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(ADA),
      });
    expect((await post('/v1/register')).status).toBe(403);
    expect((await run(['users', 'add', ADA.email], { env, input: ADA.password })).code).toBe(0);
    expect((await post('/v1/login')).status).toBe(200);
    await server.stop();
  });
});

describe('where NODE_ENV is production and REGISTRATION is not set', () => {
  const folder = temporaryFolder();
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each([
    ['serve', {}],
    ['serve from workers', { WORKERS: '2' }],
    ['serve with the variable empty', { REGISTRATION: '' }],
  ])('%s is one sentence that says what to write, and nothing was created', async (_, env) => {
    const DATA_DIR = join(folder, 'never');
    const PORT = String(await findFreePort());
    const { code, stdout, stderr } = await run(['serve'], {
      env: { NODE_ENV: 'production', PORT, DATA_DIR, ...env },
    });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^idcard: .*\n$/);
    expect(stderr.slice('idcard: '.length, -1)).toMatch(SENTENCE);
    expect(existsSync(DATA_DIR)).toBe(false);
  });

  test('every command works', async () => {
    const env = { NODE_ENV: 'production', DATA_DIR: join(folder, 'commands') };
    await (await openDatabase(`sqlite:${join(env.DATA_DIR, 'idcard.sqlite')}`)).destroy();
    for (const args of [
      ['keys', 'create'],
      ['keys', 'list'],
      ['theft-budget'],
      ['users', 'list'],
      ['serve', '--help'],
    ])
      expect((await run(args, { env })).code).toBe(0);
    expect((await run(['users', 'add', ADA.email], { env, input: ADA.password })).code).toBe(0);
  });

  test('a program that embeds idcard is refused as well, and registration stays closed', async () => {
    const DATA_DIR = join(folder, 'embedded');
    const config = readConfig({ NODE_ENV: 'production', DATA_DIR, LOG_LEVEL: 'silent' });
    await expect(buildApp(config)).rejects.toThrow(SENTENCE);
    await expect(buildApp(config)).rejects.toThrow(StartupError);
    expect(existsSync(DATA_DIR)).toBe(false);

    const idcard = await startIdcard({ env: { NODE_ENV: 'production', REGISTRATION: 'closed' } });
    const answer = await idcard.post('/v1/register', ADA);
    expect(answer).toBeProblem('registration-closed');
  });
});

test.each([
  [{}, 'open'],
  [{ NODE_ENV: 'development' }, 'open'],
  [{ NODE_ENV: 'production' }, undefined],
  [{ NODE_ENV: 'production', REGISTRATION: 'open' }, 'open'],
  [{ NODE_ENV: 'production', REGISTRATION: 'closed' }, 'closed'],
  [{ REGISTRATION: 'closed' }, 'closed'],
])('%o is %s', (env, registration) => {
  expect(readConfig(env).accounts.registration).toBe(registration);
});
