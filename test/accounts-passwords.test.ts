import { createHasher } from '../src/factors/passwords/hasher.ts';
import { ADA, addUser, BOB, bearer, CLEO, logIn, type TestApp, type TokenBody } from './support/app.ts';
import { test as base, describe, expect, startIdcard } from './support/idcard.ts';

const test = base.extend('options', { hashesForReal: true });

const NEW_PASSWORD = BOB.password;

function change({ put }: TestApp, tokens: TokenBody, current_password: string, new_password: string) {
  return put('/v1/me/password', { current_password, new_password }, bearer(tokens.access_token));
}

function login({ post }: TestApp, password: string) {
  return post('/v1/login', { email: ADA.email, password });
}

async function refreshStatus({ post }: TestApp, { refresh_token }: TokenBody): Promise<number> {
  return (await post('/v1/refresh', { refresh_token })).statusCode;
}

describe('a change of the password', () => {
  test('needs the current one', async ({ idcard, tokens }) => {
    const response = await change(idcard, tokens, 'violet otters play go', NEW_PASSWORD);
    expect(response).toBeProblem('wrong-password');
    expect((await login(idcard, ADA.password)).statusCode).toBe(200);
    expect((await login(idcard, NEW_PASSWORD)).statusCode).toBe(401);
    expect(await refreshStatus(idcard, tokens)).toBe(200);
  });

  test('without the current one in the body is 400', async ({ idcard, tokens }) => {
    const response = await idcard.put(
      '/v1/me/password',
      { new_password: NEW_PASSWORD },
      bearer(tokens.access_token),
    );
    const errors = [{ pointer: '#/current_password', detail: 'Is missing.' }];
    expect(response).toBeProblem('invalid-request', { errors });
  });

  test('replaces it, voids every earlier token and answers with new ones', async ({
    idcard,
    ada,
    tokens,
  }) => {
    const elsewhere = await logIn(idcard);
    idcard.expectEvents('login.succeeded');

    const response = await change(idcard, tokens, ADA.password, NEW_PASSWORD);
    expect(response.statusCode).toBe(200);
    idcard.expectEvents({ event: 'password.changed', sub: ada.id, address: '127.0.0.1' });
    expect(await refreshStatus(idcard, tokens)).toBe(401);
    expect(await refreshStatus(idcard, elsewhere)).toBe(401);
    expect(await refreshStatus(idcard, response.json())).toBe(200);
    expect((await login(idcard, ADA.password)).statusCode).toBe(401);
    expect((await login(idcard, NEW_PASSWORD)).statusCode).toBe(200);
    expect(idcard.logText()).not.toContain(NEW_PASSWORD);
  });

  test('to the same one is refused, in whatever form of Unicode', async ({ idcard }) => {
    const user = { ...ADA, password: 'quatre élans très patients' };
    await addUser(idcard, user);
    const tokens = await logIn(idcard, user);
    for (const again of [user.password, user.password.normalize('NFD')]) {
      const response = await change(idcard, tokens, user.password, again);
      const errors = [{ pointer: '#/new_password', detail: 'Must differ from the current password.' }];
      expect(response).toBeProblem('weak-password', { errors });
    }
    expect(await refreshStatus(idcard, tokens)).toBe(200);
  });

  test('made ten times at once succeeds once, and that one counts', async () => {
    const idcard = await startIdcard({ hashesForReal: true, env: { RATE_LIMITS: 'off' } });
    await addUser(idcard);
    const tokens = await logIn(idcard);
    const passwords = Array.from({ length: 10 }, (_, index) => `nine lazy clouds over ${index} Turin`);

    const responses = await Promise.all(
      passwords.map((password) => change(idcard, tokens, ADA.password, password)),
    );
    const statuses = responses.map(({ statusCode }) => statusCode);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, ...Array(9).fill(401)]);

    const winner = statuses.indexOf(200);
    for (const [index, password] of passwords.entries()) {
      expect((await login(idcard, password)).statusCode).toBe(index === winner ? 200 : 401);
    }
  });

  test('guesses the current one as often as a login may', async ({ idcard, tokens }) => {
    const statuses: number[] = [];
    for (let index = 0; index < 13; index++) {
      statuses.push((await change(idcard, tokens, `violet otters play ${index}`, NEW_PASSWORD)).statusCode);
    }
    expect(statuses).toEqual([...Array(11).fill(403), 429, 429]);
  });
});

describe('a login with a hash of weaker parameters', () => {
  const weak = { memoryKib: 12_288, timeCost: 2, parallelism: 1 };

  async function addWithWeakHash({ directory }: TestApp): Promise<{ id: string; passwordHash: string }> {
    const passwordHash = await createHasher(weak).hash(ADA.password);
    const { id } = await directory.add({ email: ADA.email, passwordHash, roles: [] });
    return { id, passwordHash };
  }

  async function storedHash({ directory }: TestApp, id: string): Promise<string> {
    return (await directory.findById(id))?.passwordHash ?? '';
  }

  test("hashes the password anew with today's, and voids no token", async ({ idcard }) => {
    const { id, passwordHash } = await addWithWeakHash(idcard);
    const tokens = await logIn(idcard);
    const anew = await storedHash(idcard, id);
    expect(anew).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(anew).not.toBe(passwordHash);
    expect(await refreshStatus(idcard, tokens)).toBe(200);

    await logIn(idcard);
    expect(await storedHash(idcard, id)).toBe(anew);
  });

  test('leaves the hash alone when the password is wrong', async ({ idcard }) => {
    const { id, passwordHash } = await addWithWeakHash(idcard);
    expect((await login(idcard, NEW_PASSWORD)).statusCode).toBe(401);
    expect(await storedHash(idcard, id)).toBe(passwordHash);
  });

  test('never overwrites a password that was changed meanwhile', async () => {
    let changeMeanwhile: (() => Promise<void>) | undefined;
    const idcard = await startIdcard({
      directory: (real) => ({
        ...real,
        async update(id, changes, condition) {
          await changeMeanwhile?.();
          return real.update(id, changes, condition);
        },
      }),
    });
    const { id } = await addWithWeakHash(idcard);
    const newHash = await idcard.hasher.hash(NEW_PASSWORD);
    changeMeanwhile = async () => {
      await idcard.directory.updateAndVoidTokens(id, { passwordHash: newHash });
    };

    const tokens: TokenBody = (await login(idcard, ADA.password)).json();
    expect(await storedHash(idcard, id)).toBe(newHash);
    expect(await refreshStatus(idcard, tokens)).toBe(401);
    changeMeanwhile = undefined;
    expect((await login(idcard, ADA.password)).statusCode).toBe(401);
    expect((await login(idcard, NEW_PASSWORD)).statusCode).toBe(200);
  });
});

describe('a stored hash that asks for more than sixteen times what is configured', () => {
  const dear = `$argon2id$v=19$m=1048576,t=16,p=1$${'A'.repeat(22)}$${'B'.repeat(43)}`;

  test('is no way in, and the log says whose it is and why', async ({ idcard }) => {
    const { id } = await idcard.directory.add({ email: ADA.email, passwordHash: dear, roles: [] });
    expect(await login(idcard, ADA.password)).toBeProblem('invalid-credentials');
    const reason = 'The stored hash asks for 1048576 KiB, more than 8 × ARGON2_MEMORY_KIB (155648).';
    expect(idcard.log()).toContainEqual({
      ...{ level: 40, time: expect.any(Number), request_id: expect.any(String) },
      ...{ event: 'password.unusable', sub: id, reason },
    });
    idcard.expectEvents('password.unusable', 'login.failed');
  });

  test('is told to the log by a change of the password as well', async ({ idcard, ada, tokens }) => {
    await idcard.directory.update(ada.id, { passwordHash: dear });
    expect(await change(idcard, tokens, ADA.password, NEW_PASSWORD)).toBeProblem('wrong-password');
    idcard.expectEvents({ event: 'password.unusable', sub: ada.id }, 'password.change-failed');
  });
});

describe('a password that the documentation shows', () => {
  test('registers on localhost', async ({ idcard }) => {
    expect((await idcard.post('/v1/register', ADA)).statusCode).toBe(201);
  });

  test('is refused elsewhere, for a new user and for a change', async () => {
    const idcard = await startIdcard({
      hashesForReal: true,
      env: { PUBLIC_URL: 'https://login.example.com' },
    });
    expect(await idcard.post('/v1/register', ADA)).toBeProblem('weak-password', {
      errors: [
        {
          pointer: '#/password',
          detail: 'Must not have a phrase that everybody knows, or that the documentation shows.',
        },
      ],
    });
    await addUser(idcard, CLEO);
    const cleo = await logIn(idcard, CLEO);
    expect((await change(idcard, cleo, CLEO.password, BOB.password)).statusCode).toBe(400);
  });
});

test('there is no account before one is made, and no way in', async ({ idcard }) => {
  expect(await idcard.directory.list('', 10)).toEqual([]);
  for (const password of ['admin', 'password', 'idcard', 'changeme']) {
    const body = { email: 'admin@example.com', password };
    expect(await idcard.post('/v1/login', body)).toBeProblem('invalid-credentials');
  }
});
