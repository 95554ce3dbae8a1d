import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Finished, run, startServer, temporaryFolder } from '../../support/process.ts';

interface ListedKey {
  kid: string;
  alg: string;
  signs: string;
  state: string;
  signs_from: string;
  retires?: string;
}

const PRIVATE_MEMBERS = ['d', 'k', 'p', 'q', 'dp', 'dq', 'qi'];

let DATA_DIR: string;
beforeEach(() => {
  DATA_DIR = temporaryFolder();
});
afterEach(() => {
  rmSync(DATA_DIR, { recursive: true });
});

async function idcard(args: string[], env: Record<string, string> = {}): Promise<Finished> {
  const result = await run(args, { env: { DATA_DIR, ...env } });
  for (const secret of privateValues()) expect(result.stdout + result.stderr).not.toContain(secret);
  return result;
}

async function listKeys(): Promise<ListedKey[]> {
  const { code, stdout, stderr } = await idcard(['keys', 'list', '--json']);
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
}

function readKeys(): Record<string, unknown>[] {
  return JSON.parse(readFileSync(join(DATA_DIR, 'keys.json'), 'utf8')).keys;
}

function privateValues(): string[] {
  const keys = readdirSync(DATA_DIR).includes('keys.json') ? readKeys() : [];
  return keys.flatMap((key) =>
    PRIVATE_MEMBERS.flatMap((member) => (key[member] ? [String(key[member])] : [])),
  );
}

describe('keys create', () => {
  test('makes the first keys, one that signs each kind of token, in a file of mode 0600', async () => {
    const { code, stdout, stderr } = await idcard(['keys', 'create']);
    const keys = await listKeys();
    const [access, refresh] = keys.map(({ kid }) => kid);
    expect([code, stdout]).toEqual([
      0,
      `${access}\tES256\taccess\tsigning\n${refresh}\tHS256\trefresh\tsigning\nCreated ${DATA_DIR}/keys.json, which you alone can read.\n`,
    ]);
    expect(JSON.parse(stderr)).toMatchObject({ event: 'keys.created', kids: [access, refresh] });
    expect(keys).toEqual([
      {
        kid: expect.any(String),
        alg: 'ES256',
        signs: 'access',
        state: 'signing',
        signs_from: expect.any(String),
      },
      {
        kid: expect.any(String),
        alg: 'HS256',
        signs: 'refresh',
        state: 'signing',
        signs_from: expect.any(String),
      },
    ]);
    expect(statSync(join(DATA_DIR, 'keys.json')).mode & 0o777).toBe(0o600);
    expect(privateValues()).toHaveLength(2);
  });

  test('run three times at once makes one key set, and two refusals', async () => {
    const created = await Promise.all([1, 2, 3].map(() => idcard(['keys', 'create', '--json'])));
    expect(created.map(({ code }) => code).sort()).toEqual([0, 1, 1]);
    const made = created.find(({ code }) => code === 0);
    expect(JSON.parse(made?.stdout ?? '').kids).toEqual((await listKeys()).map(({ kid }) => kid));
    for (const { code, stderr } of created)
      if (code === 1) expect(stderr).toMatch(/^idcard: There is a key file \/.+ already: .+\.\n$/);
    expect(readdirSync(DATA_DIR)).toEqual(['keys.json']);
  });
});

describe('keys list', () => {
  beforeEach(async () => void (await idcard(['keys', 'create'])));

  test('without --json prints a line for each key', async () => {
    const [access, refresh] = await listKeys();
    const { stdout } = await idcard(['keys', 'list']);
    expect(stdout).toBe(
      `${access?.kid}\tES256\taccess\tsigning\t\n${refresh?.kid}\tHS256\trefresh\tsigning\t\n`,
    );
  });
});

describe('keys rotate', () => {
  beforeEach(async () => void (await idcard(['keys', 'create'])));

  test('adds a key of each kind that signs later, and gives the present ones an end', async () => {
    const before = await listKeys();
    const { code, stdout, stderr } = await idcard(['keys', 'rotate', '--activate-in', '300', '--json']);
    expect(code).toBe(0);
    const { kids, signs_from } = JSON.parse(stdout) as { kids: string[]; signs_from: string };
    expect(JSON.parse(stderr)).toMatchObject({ event: 'keys.rotated', kids, signs_from });

    const after = await listKeys();
    expect(after.map(({ kid, state }) => [kid, state])).toEqual([
      ...before.map(({ kid }) => [kid, 'signing']),
      ...kids.map((kid) => [kid, 'next']),
    ]);
    const ends = after.map(({ retires }) => retires && (Date.parse(retires) - Date.parse(signs_from)) / 1000);
    expect(ends).toEqual([300 + 5, 604_800 + 5, undefined, undefined]);
    expect(statSync(join(DATA_DIR, 'keys.json')).mode & 0o777).toBe(0o600);
    expect(readdirSync(DATA_DIR)).toEqual(['keys.json']);
  });

  test('to another algorithm adds a key of that one', async () => {
    const { code } = await idcard(['keys', 'rotate'], { JWT_ALGORITHM: 'EdDSA' });
    expect(code).toBe(0);
    expect((await listKeys()).map(({ alg, state }) => `${alg} ${state}`)).toEqual([
      'ES256 signing',
      'HS256 signing',
      'EdDSA next',
      'HS256 next',
    ]);
  });

  test('loses no login: tokens of before are accepted after a restart, and the new key is published', async () => {
    const email = 'ada@example.com';
    const password = 'violet otters play chess';
    const headers = { 'content-type': 'application/json' };

    const before = await startServer({ DATA_DIR });
    await run(['users', 'add', email], { env: { DATA_DIR }, input: password });
    const { url } = before;
    const login = await fetch(`${url}/v1/login`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ email, password }),
    });
    const { access_token, refresh_token } = (await login.json()) as Record<string, string>;
    expect(await before.stop()).toBe(0);

    const rotated = JSON.parse((await idcard(['keys', 'rotate', '--json'])).stdout) as { kids: string[] };
    const after = await startServer({ DATA_DIR, PORT: new URL(url).port });
    try {
      const verify = await fetch(`${url}/v1/verify`, {
        headers: { authorization: `Bearer ${access_token}` },
      });
      const refresh = await fetch(`${url}/v1/refresh`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ refresh_token }),
      });
      expect([login.status, verify.status, refresh.status]).toEqual([200, 200, 200]);
      const jwks = await (await fetch(`${url}/.well-known/jwks.json`)).text();
      const published = (JSON.parse(jwks) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid);
      expect(published).toHaveLength(2);
      expect(published).toContain(rotated.kids[0]);
      for (const secret of privateValues())
        expect(jwks + after.stdout() + after.stderr()).not.toContain(secret);
    } finally {
      await after.stop();
    }
  });
});
