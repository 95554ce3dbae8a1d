import { afterEach, describe, expect, test } from 'vitest';
import { createHasher } from '../src/factors/passwords/hasher.ts';
import type { Directory } from '../src/users/directory.ts';
import {
  ADA,
  addUser,
  BOB,
  bearer,
  CLEO,
  createTestApp,
  logIn,
  type TestApp,
  type TokenBody,
} from './support/app.ts';

const NEW_PASSWORD = BOB.password;

let harness: TestApp;
afterEach(() => harness.close());

function change(tokens: TokenBody, current_password: string, new_password: string) {
  return harness.app.inject({
    method: 'PUT',
    url: '/v1/me/password',
    headers: bearer(tokens.access_token),
    body: { current_password, new_password },
  });
}

function login(password: string) {
  return harness.app.inject({ method: 'POST', url: '/v1/login', body: { email: ADA.email, password } });
}

async function refreshStatus({ refresh_token }: TokenBody): Promise<number> {
  const response = await harness.app.inject({ method: 'POST', url: '/v1/refresh', body: { refresh_token } });
  return response.statusCode;
}

describe('a change of the password', () => {
  test('needs the current one', async () => {
    harness = await createTestApp();
    await addUser(harness);
    const tokens = await logIn(harness);

    const response = await change(tokens, 'violet otters play go', NEW_PASSWORD);
    expect(response.statusCode).toBe(403);
    expect(response.json().type).toBe('urn:idcard:problem:wrong-password');
    expect((await login(ADA.password)).statusCode).toBe(200);
    expect((await login(NEW_PASSWORD)).statusCode).toBe(401);
    expect(await refreshStatus(tokens)).toBe(200);
  });

  test('without the current one in the body is 400', async () => {
    harness = await createTestApp();
    await addUser(harness);
    const { access_token } = await logIn(harness);
    const response = await harness.app.inject({
      method: 'PUT',
      url: '/v1/me/password',
      headers: bearer(access_token),
      body: { new_password: NEW_PASSWORD },
    });
    expect(response.statusCode).toBe(400);
    expect(response.json().errors).toMatchObject([{ pointer: '#/current_password', detail: 'Is missing.' }]);
  });

  test('replaces it, voids every earlier token and answers with new ones', async () => {
    harness = await createTestApp();
    const { id } = await addUser(harness);
    const here = await logIn(harness);
    const elsewhere = await logIn(harness);

    const response = await change(here, ADA.password, NEW_PASSWORD);
    expect(response.statusCode).toBe(200);
    expect(await refreshStatus(here)).toBe(401);
    expect(await refreshStatus(elsewhere)).toBe(401);
    expect(await refreshStatus(response.json())).toBe(200);
    expect((await login(ADA.password)).statusCode).toBe(401);
    expect((await login(NEW_PASSWORD)).statusCode).toBe(200);
    expect(harness.log()).toContainEqual(
      expect.objectContaining({ event: 'password.changed', sub: id, address: '127.0.0.1' }),
    );
    expect(harness.logText()).not.toContain(NEW_PASSWORD);
  });

  test('to the same one is refused, in whatever form of Unicode', async () => {
    harness = await createTestApp();
    const ada = { ...ADA, password: 'quatre élans très patients' };
    await addUser(harness, ada);
    const tokens = await logIn(harness, ada);
    for (const again of [ada.password, ada.password.normalize('NFD')]) {
      const response = await change(tokens, ada.password, again);
      expect(response.statusCode).toBe(400);
      expect(response.json()).toMatchObject({
        type: 'urn:idcard:problem:weak-password',
        errors: [{ pointer: '#/new_password', detail: 'Must differ from the current password.' }],
      });
    }
    expect(await refreshStatus(tokens)).toBe(200);
  });

  test('made ten times at once succeeds once, and that one counts', async () => {
    harness = await createTestApp({ env: { RATE_LIMITS: 'off' } });
    await addUser(harness);
    const tokens = await logIn(harness);
    const passwords = Array.from({ length: 10 }, (_, index) => `nine lazy clouds over ${index} Turin`);

    const responses = await Promise.all(passwords.map((password) => change(tokens, ADA.password, password)));
    const statuses = responses.map(({ statusCode }) => statusCode);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, ...Array(9).fill(401)]);

    const winner = statuses.indexOf(200);
    for (const [index, password] of passwords.entries()) {
      expect((await login(password)).statusCode).toBe(index === winner ? 200 : 401);
    }
  });

  test('guesses the current one as often as a login may', async () => {
    harness = await createTestApp();
    await addUser(harness);
    const tokens = await logIn(harness);
    const statuses: number[] = [];
    for (let index = 0; index < 13; index++) {
      statuses.push((await change(tokens, `violet otters play ${index}`, NEW_PASSWORD)).statusCode);
    }
    expect(statuses).toEqual([...Array(11).fill(403), 429, 429]);
  });
});

describe('a login with a hash of weaker parameters', () => {
  const weak = { memoryKib: 12_288, timeCost: 2, parallelism: 1 };

  async function addWithWeakHash(): Promise<{ id: string; passwordHash: string }> {
    const passwordHash = await createHasher(weak).hash(ADA.password);
    const { id } = await harness.directory.add({ email: ADA.email, passwordHash, roles: [] });
    return { id, passwordHash };
  }

  async function storedHash(id: string): Promise<string> {
    return (await harness.directory.findById(id))?.passwordHash ?? '';
  }

  test("hashes the password anew with today's, and voids no token", async () => {
    harness = await createTestApp();
    const { id, passwordHash } = await addWithWeakHash();
    const tokens = await logIn(harness);
    const anew = await storedHash(id);
    expect(anew).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(anew).not.toBe(passwordHash);
    expect(await refreshStatus(tokens)).toBe(200);

    await logIn(harness);
    expect(await storedHash(id)).toBe(anew);
  });

  test('leaves the hash alone when the password is wrong', async () => {
    harness = await createTestApp();
    const { id, passwordHash } = await addWithWeakHash();
    expect((await login(NEW_PASSWORD)).statusCode).toBe(401);
    expect(await storedHash(id)).toBe(passwordHash);
  });

  test('never overwrites a password that was changed meanwhile', async () => {
    let changeMeanwhile: (() => Promise<void>) | undefined;
    harness = await createTestApp({
      directory: (real): Directory => ({
        ...real,
        async update(id, changes, condition) {
          await changeMeanwhile?.();
          return real.update(id, changes, condition);
        },
      }),
    });
    const { id } = await addWithWeakHash();
    const newHash = await harness.hasher.hash(NEW_PASSWORD);
    changeMeanwhile = async () => {
      await harness.directory.updateAndVoidTokens(id, { passwordHash: newHash });
    };

    const tokens: TokenBody = (await login(ADA.password)).json();
    expect(await storedHash(id)).toBe(newHash);
    expect(await refreshStatus(tokens)).toBe(401);
    changeMeanwhile = undefined;
    expect((await login(ADA.password)).statusCode).toBe(401);
    expect((await login(NEW_PASSWORD)).statusCode).toBe(200);
  });
});

describe('a stored hash that asks for more than sixteen times what is configured', () => {
  const dear = `$argon2id$v=19$m=1048576,t=16,p=1$${'A'.repeat(22)}$${'B'.repeat(43)}`;

  test('is no way in, and the log says whose it is and why', async () => {
    harness = await createTestApp();
    const { id } = await harness.directory.add({ email: ADA.email, passwordHash: dear, roles: [] });
    expect((await login(ADA.password)).json()).toMatchObject({
      type: 'urn:idcard:problem:invalid-credentials',
    });
    const reason = 'The stored hash asks for 1048576 KiB, more than 8 × ARGON2_MEMORY_KIB (155648).';
    expect(harness.log()).toContainEqual({
      ...{ level: 40, time: expect.any(Number), request_id: expect.any(String) },
      ...{ event: 'password.unusable', sub: id, reason },
    });
  });

  test('is told to the log by a change of the password as well', async () => {
    harness = await createTestApp();
    const { id } = await addUser(harness);
    const tokens = await logIn(harness);
    await harness.directory.update(id, { passwordHash: dear });
    expect((await change(tokens, ADA.password, NEW_PASSWORD)).statusCode).toBe(403);
    expect(harness.log()).toContainEqual(expect.objectContaining({ event: 'password.unusable', sub: id }));
  });
});

describe('a password that the documentation shows', () => {
  const register = () => harness.app.inject({ method: 'POST', url: '/v1/register', body: ADA });

  test('registers on localhost', async () => {
    harness = await createTestApp();
    expect((await register()).statusCode).toBe(201);
  });

  test('is refused elsewhere, for a new user and for a change', async () => {
    harness = await createTestApp({ env: { PUBLIC_URL: 'https://login.example.com' } });
    const response = await register();
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({
      type: 'urn:idcard:problem:weak-password',
      errors: [
        {
          pointer: '#/password',
          detail: 'Must not have a phrase that everybody knows, or that the documentation shows.',
        },
      ],
    });
    await addUser(harness, CLEO);
    const cleo = await logIn(harness, CLEO);
    expect((await change(cleo, CLEO.password, BOB.password)).statusCode).toBe(400);
  });
});

test('there is no account before one is made, and no way in', async () => {
  harness = await createTestApp();
  expect(await harness.directory.list('', 10)).toEqual([]);
  for (const password of ['admin', 'password', 'idcard', 'changeme']) {
    const body = { email: 'admin@example.com', password };
    const response = await harness.app.inject({ method: 'POST', url: '/v1/login', body });
    expect(response.statusCode).toBe(401);
  }
});
