import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Finished,
  run,
  type ServerProcess,
  startServer,
  temporaryFolder,
} from '../../support/process.ts';

const PASSWORD = 'violet otters play chess';
const NEW_PASSWORD = 'nine lazy clouds over Turin';

const DATA_DIR = temporaryFolder();
let server: ServerProcess;

beforeAll(async () => {
  server = await startServer({ DATA_DIR });
});
afterAll(async () => {
  await server.stop();
  rmSync(DATA_DIR, { recursive: true });
});

async function idcard(args: string[], input = ''): Promise<Finished> {
  return run(args, { input, env: { DATA_DIR } });
}

/** The one JSON object that a command printed. */
async function json(args: string[], input = ''): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await idcard([...args, '--json'], input);
  expect(code).toBe(0);
  if (args[1] === 'list') expect(stderr).toBe('');
  else expectEvent(stderr, EVENTS[args[1] ?? '']);
  expect(stdout).toMatch(/^[^\n]+\n$/);
  return JSON.parse(stdout);
}

const EVENTS: Record<string, string> = {
  delete: 'user.deleted',
  add: 'user.added',
  disable: 'user.disabled',
  enable: 'user.enabled',
  'set-roles': 'user.roles-changed',
  'set-password': 'password.set',
};

/** An operator's command leaves one event in the audit log, and the log no secret. */
function expectEvent(stderr: string, event: string | undefined): void {
  expect(JSON.parse(stderr)).toMatchObject({ event, sub: expect.stringMatching(/^[\da-f-]{36}$/) });
  expect(stderr).not.toContain(PASSWORD);
}

function post(path: string, body: Record<string, unknown>): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${server.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
}

async function logIn(email: string, password = PASSWORD): Promise<string> {
  const response = await post('/v1/login', { email, password });
  expect(response.status).toBe(200);
  const { refresh_token } = (await response.json()) as { refresh_token: string };
  return refresh_token;
}

async function refreshStatus(refresh_token: string): Promise<number> {
  return (await post('/v1/refresh', { refresh_token })).status;
}

describe('users add', () => {
  test('adds a user who logs in with the password from standard input, without its line break', async () => {
    const { code, stdout, stderr } = await idcard(['users', 'add', 'Ada@Example.com'], `${PASSWORD}\n`);
    expect(code).toBe(0);
    expectEvent(stderr, 'user.added');
    expect(stdout).toMatch(/^Added ada@example\.com as [\da-f-]{36} to sqlite:\/.+\/idcard\.sqlite\.\n$/);
    await logIn('ada@example.com');
  });

  test('with --json prints the user, their roles and status, and no secret', async () => {
    const user = await json(
      ['users', 'add', 'bob@example.com', '--role', 'admin', 'author', 'admin'],
      PASSWORD,
    );
    expect(user).toEqual({
      id: expect.any(String),
      email: 'bob@example.com',
      email_verified: false,
      roles: ['admin', 'author'],
      created_at: expect.stringMatching(/^\d{4}-.+Z$/),
      status: 'active',
    });
  });

  test('refuses an email that is taken', async () => {
    await idcard(['users', 'add', 'cleo@example.com'], PASSWORD);
    const { code, stdout, stderr } = await idcard(['users', 'add', 'CLEO@example.com'], NEW_PASSWORD);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toBe('idcard: There is already a user with this email.\n');
    await logIn('cleo@example.com');
  });

  test('keeps blanks and every line but the last break of a password', async () => {
    await idcard(['users', 'add', 'dora@example.com'], ' violet otters\nplay chess \r\n');
    await logIn('dora@example.com', ' violet otters\nplay chess ');
  });
});

describe('users disable', () => {
  test('keeps the user from logging in and from refreshing, until users enable', async () => {
    await idcard(['users', 'add', 'eve@example.com'], PASSWORD);
    const refreshToken = await logIn('eve@example.com');
    expect(await refreshStatus(refreshToken)).toBe(200);

    expect(await json(['users', 'disable', 'eve@example.com'])).toMatchObject({ status: 'disabled' });
    expect((await post('/v1/login', { email: 'eve@example.com', password: PASSWORD })).status).toBe(401);
    expect(await refreshStatus(refreshToken)).toBe(401);

    const { stdout } = await idcard(['users', 'enable', 'eve@example.com']);
    expect(stdout).toBe('eve@example.com is active.\n');
    expect(await refreshStatus(refreshToken)).toBe(401);
    expect(await refreshStatus(await logIn('eve@example.com'))).toBe(200);
  });
});

describe('the passwords that the documentation shows', () => {
  test.each(['add', 'set-password'])(
    'are refused by users %s where others reach the address',
    async (command) => {
      const email = `ida${command.length}@example.com`;
      if (command === 'set-password') expect((await idcard(['users', 'add', email], PASSWORD)).code).toBe(0);
      const { code, stderr } = await run(['users', command, email], {
        input: NEW_PASSWORD,
        env: { DATA_DIR, PUBLIC_URL: 'https://login.example.com' },
      });
      expect(code).toBe(1);
      expect(stderr).toBe(
        'idcard: The password is refused. Must not have a phrase that everybody knows, or that the documentation shows.\n',
      );
    },
  );
});

describe('users set-password', () => {
  test('refuses the one that the user has', async () => {
    await idcard(['users', 'add', 'ivy@example.com'], PASSWORD);
    const { code, stderr } = await idcard(['users', 'set-password', 'ivy@example.com'], PASSWORD);
    expect(code).toBe(1);
    expect(stderr).toBe('idcard: The password is refused. Must differ from the current password.\n');
  });

  test('replaces the password and voids every token', async () => {
    await idcard(['users', 'add', 'fay@example.com'], PASSWORD);
    const refreshToken = await logIn('fay@example.com');

    const { code, stdout } = await idcard(['users', 'set-password', 'fay@example.com'], `${NEW_PASSWORD}\n`);
    expect([code, stdout]).toEqual([0, 'fay@example.com has a new password.\n']);
    expect((await post('/v1/login', { email: 'fay@example.com', password: PASSWORD })).status).toBe(401);
    expect(await refreshStatus(refreshToken)).toBe(401);
    await logIn('fay@example.com', NEW_PASSWORD);
  });

  test('with a password that is refused changes nothing', async () => {
    await idcard(['users', 'add', 'gil@example.com'], PASSWORD);
    const refreshToken = await logIn('gil@example.com');
    expect((await idcard(['users', 'set-password', 'gil@example.com'], 'short')).code).toBe(1);
    expect(await refreshStatus(refreshToken)).toBe(200);
  });
});

describe('users set-roles', () => {
  test('that takes a role away voids every token; one that adds voids none', async () => {
    await idcard(['users', 'add', 'hal@example.com', '--role', 'author'], PASSWORD);
    const refreshToken = await logIn('hal@example.com');

    const added = await json(['users', 'set-roles', 'hal@example.com', 'author', 'admin']);
    expect(added).toMatchObject({ roles: ['author', 'admin'] });
    expect(await refreshStatus(refreshToken)).toBe(200);

    const { stdout } = await idcard(['users', 'set-roles', 'hal@example.com']);
    expect(stdout).toBe('hal@example.com has the roles: none.\n');
    expect(await refreshStatus(refreshToken)).toBe(401);
  });
});

describe('users list', () => {
  test('prints every user, oldest first, in columns or as JSON, and no hash', async () => {
    const { stdout: columns } = await idcard(['users', 'list']);
    const { stdout: objects } = await idcard(['users', 'list', '--json']);
    const rows = columns
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'));
    const users = objects
      .trimEnd()
      .split('\n')
      .map((line): Record<string, unknown> => JSON.parse(line));

    expect(rows.map(([, email]) => email).slice(0, 2)).toEqual(['ada@example.com', 'bob@example.com']);
    expect(rows[1]?.slice(2)).toEqual(['active', 'admin,author']);
    expect(users.map(({ id, email }) => [id, email])).toEqual(rows.map(([id, email]) => [id, email]));
    expect(columns + objects).not.toMatch(/argon2|password|hash|version/i);
  });
});

describe('users delete', () => {
  test('ends every login of the user, frees the email, and is done once', async () => {
    const { id } = await json(['users', 'add', 'gone@example.com'], PASSWORD);
    const refresh_token = await logIn('gone@example.com');
    expect(await json(['users', 'delete', 'GONE@example.com'])).toEqual({ id });
    expect(await refreshStatus(refresh_token)).toBe(401);
    expect((await post('/v1/login', { email: 'gone@example.com', password: PASSWORD })).status).toBe(401);

    const again = await idcard(['users', 'delete', 'gone@example.com']);
    expect([again.code, again.stderr]).toEqual([
      1,
      `idcard: There is no user with this email in sqlite:${DATA_DIR}/idcard.sqlite.\n`,
    ]);
    expect((await json(['users', 'add', 'gone@example.com'], PASSWORD)).id).not.toBe(id);
  });
});
