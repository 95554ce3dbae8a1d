import { afterAll, beforeAll, beforeEach, vi } from 'vitest';
import { ADA, addUser, createTestApp, logIn, type TestApp } from './support/app.ts';
import { describe, expect, startIdcard, test } from './support/idcard.ts';

const { password: PASSWORD } = ADA;
const NEW_PASSWORD = 'nine lazy clouds over Turin';
/** As a Mac types it with Option. */
const NO_BREAK = '\u00a0';

let idcard: TestApp;
const asked: string[] = [];

beforeAll(async () => {
  idcard = await createTestApp({
    env: { RATE_LIMITS: 'off' },
    directory: (real) => ({
      ...real,
      findByEmail(email) {
        asked.push(email);
        return real.findByEmail(email);
      },
    }),
  });
});
beforeEach(() => {
  asked.length = 0;
});
beforeAll(() => {
  // Hundreds of passwords are compared here, and what is compared with what is all that matters.
  vi.spyOn(idcard.hasher, 'hash').mockImplementation(async (password) => `hash of ${password}`);
  vi.spyOn(idcard.hasher, 'verify').mockImplementation(
    async (hash, password) => hash === `hash of ${password}`,
  );
});
afterAll(() => idcard.close());

async function post(path: string, email: string, password = PASSWORD): Promise<number> {
  const { statusCode } = await idcard.post(path, { email, password });
  return statusCode;
}
const register = (email: string) => post('/v1/register', email);
const login = (email: string, password?: string) => post('/v1/login', email, password);

/** A row as it was stored before. */
async function plant(email: string, password = PASSWORD): Promise<string> {
  const { id } = await addUser(idcard, { email, password });
  return id;
}

describe('a mailbox that registers in one spelling', () => {
  test.each([
    ['ada@münchen.de', 'ada@xn--mnchen-3ya.de', 'Ada@MÜNCHEN.de', 'ada@XN--MNCHEN-3YA。de'],
    ['bob@xn--bcher-kva.example', 'bob@bücher.example', 'BOB@bu\u0308cher.example', 'bob@bücher．example'],
    ['cleo@ｅxample.com', 'cleo@example.com', 'cleo@exampl\uff45.com', 'cleo@exam\u034fple.com'],
    ['dora@faß.de', 'dora@xn--fa-hia.de', 'dora@FAß.DE', 'DORA@FAẞ.de'],
  ])('%s logs in in the others, and none of them registers again', async (first, ...others) => {
    expect(await register(first)).toBe(201);
    for (const spelling of [first, ...others]) {
      expect(await login(spelling)).toBe(200);
      expect(await register(spelling)).toBe(409);
    }
  });

  test('has it in its own letters in the answer', async () => {
    const body = { email: 'Eve@xn--mnchen-3ya.de', password: PASSWORD };
    const { statusCode, json } = await idcard.post('/v1/register', body);
    expect(statusCode).toBe(201);
    expect(json()).toMatchObject({ email: 'eve@münchen.de' });
  });

  test('does not become its neighbour', async () => {
    expect(await register('fay@faß.de')).toBe(201);
    expect(await register('fay@fass.de')).toBe(201);
  });
});

describe('what no mail server takes is 400', () => {
  test.each(['a..b@example.com', 'ada@127.0.0.11', 'ada@xn--0049.com', `ada@${'a'.repeat(64)}.com`])(
    '%s, and a login by it 401: somebody may have it',
    async (email) => {
      expect(await register(email)).toBe(400);
      expect(await login(email)).toBe(401);
    },
  );

  test.each(['a\u034fda@example.com', 'ada\u3164@example.com', 'ﬁn@example.com', 'ａda@example.com'])(
    'and %j with the reason',
    async (email) => {
      const body = { email, password: PASSWORD };
      const response = await idcard.post('/v1/register', body);
      expect(response.statusCode).toBe(400);
      expect(response.json().errors).toMatchObject([
        {
          pointer: '#/email',
          detail: expect.stringMatching(
            /^Must have ordinary letters before the @: none that are invisible.*\.$/,
          ),
        },
      ]);
      expect(await login(email)).toBe(401);
    },
  );
});

describe('a row in an older spelling', () => {
  test.each([
    ['gil@xn--mnchen-3ya.de', ['gil@münchen.de', 'GIL@XN--MNCHEN-3YA.de']],
    ['gil@ｅxample.org', ['GIL@ｅxample.org']],
    ['g..l@example.com', ['G..L@example.com']],
    ['gil@127.0.0.11', []],
    ['gil@xn--ls8h.la', ['gil@XN--LS8H.la']],
    ['ﬁl@example.com', ['ﬁL@example.com']],
    ['gil\u3164@example.com', []],
  ])('%s logs in as it did, keeps its spelling, and is not registered again', async (stored, others) => {
    const id = await plant(stored);
    for (const spelling of [stored, ...others]) {
      expect(await login(spelling)).toBe(200);
      expect(await register(spelling)).not.toBe(201);
    }
    expect((await idcard.directory.findById(id))?.email).toBe(stored);
  });

  test('is taken: in the other spelling it is 409', async () => {
    await plant('hal@xn--mnchen-3ya.de');
    for (const spelling of ['hal@münchen.de', 'hal@xn--mnchen-3ya.de', 'HAL@MÜNCHEN.de'])
      expect(await register(spelling)).toBe(409);
    await plant('hal@ｅxample.com');
    expect(await register('hal@ｅxample.com')).toBe(409);
  });

  test('stands behind the canonical one, when there are both', async () => {
    await plant('ida@xn--mnchen-3ya.de', PASSWORD);
    await plant('ida@münchen.de', NEW_PASSWORD);
    for (const spelling of ['ida@münchen.de', 'ida@xn--mnchen-3ya.de']) {
      expect(await login(spelling, NEW_PASSWORD)).toBe(200);
      expect(await login(spelling, PASSWORD)).toBe(401);
    }
  });
});

describe('the directory is asked', () => {
  test.each([
    ['Ada@Example.com', ['ada@example.com']],
    ['x@münchen.de', ['x@münchen.de', 'x@xn--mnchen-3ya.de']],
    ['x@ｅxample.com', ['x@example.com', 'x@ｅxample.com']],
  ])('by a login of %s as often, whether somebody is there or not', async (typed, spellings) => {
    expect(await login(typed)).toBe(401);
    expect(asked).toEqual(spellings);
    for (const spelling of spellings) {
      const id = await plant(spelling);
      asked.length = 0;
      expect(await login(typed)).toBe(200);
      expect(asked).toEqual(spellings);
      await idcard.directory.remove(id);
    }
  });

  test('by a registration only for other spellings than the one that the insert decides', async () => {
    expect(await register('kim@example.com')).toBe(201);
    expect(asked).toEqual([]);
    expect(await register('kim@münchen.de')).toBe(201);
    expect(asked).toEqual(['kim@xn--mnchen-3ya.de']);
  });
});

describe('the brake on guessing', () => {
  const SPELLINGS = ['lea@münchen.de', 'lea@xn--mnchen-3ya.de', 'lea@MÜNCHEN。de', 'LEA@mu\u0308nchen.de'];
  let limited: TestApp;
  beforeEach(async () => {
    limited = await startIdcard();
    await addUser(limited, { email: 'lea@xn--mnchen-3ya.de', password: PASSWORD });
  });

  let sent = 0;
  async function attempt(spelling: number, password: string, device?: string): Promise<number> {
    const { statusCode } = await limited.app.inject({
      method: 'POST',
      url: '/v1/login',
      remoteAddress: `192.0.2.${++sent}`, // what is counted is the account
      body: { email: SPELLINGS[spelling % 4], password, ...(device && { device_token: device }) },
    });
    return statusCode;
  }

  test('has one count for a mailbox, however it is written', async () => {
    for (let guesses = 0; guesses < 11; guesses++) expect(await attempt(guesses, 'wrong')).toBe(401);
    for (let spelling = 0; spelling < 4; spelling++) expect(await attempt(spelling, 'wrong')).toBe(429);
  });

  test('lets the owner in by a device token from a login in another spelling', async () => {
    const { device_token } = await logIn(limited, { email: 'lea@xn--mnchen-3ya.de', password: PASSWORD });
    for (let guesses = 0; guesses < 11; guesses++) await attempt(0, 'wrong');
    expect(await attempt(0, PASSWORD)).toBe(429);
    expect(await attempt(0, PASSWORD, device_token)).toBe(200);
  });
});

describe('a password with no-break spaces', () => {
  const spaced = PASSWORD.replaceAll(' ', NO_BREAK);

  test('is the one with ordinary blanks', async () => {
    expect(await post('/v1/register', 'nia@example.com', spaced)).toBe(201);
    for (const typed of [PASSWORD, spaced, PASSWORD.replace(' ', '\u3000').replace(' ', '\u2003')])
      expect(await login('nia@example.com', typed)).toBe(200);
    expect(await login('nia@example.com', PASSWORD.replaceAll(' ', ''))).toBe(401);
  });

  test('that was hashed as it was typed still logs in, and is then the one with ordinary blanks', async () => {
    const passwordHash = await idcard.hasher.hash(spaced);
    const { id } = await idcard.directory.add({ email: 'oda@example.com', passwordHash, roles: [] });
    expect(await login('oda@example.com', PASSWORD)).toBe(401);
    expect(await login('oda@example.com', spaced)).toBe(200);
    expect((await idcard.directory.findById(id))?.passwordHash).not.toBe(passwordHash);
    for (const typed of [PASSWORD, spaced]) expect(await login('oda@example.com', typed)).toBe(200);
  });

  test('costs a failed login two hashes, of nobody as of somebody; any other costs one', async () => {
    await plant('pia@example.com');
    const verify = vi.mocked(idcard.hasher.verify);
    const hashesOf = async (email: string, password: string) => {
      verify.mockClear();
      expect(await login(email, password)).toBe(401);
      return verify.mock.calls.map(([, compared]) => compared);
    };
    for (const email of ['pia@example.com', 'nobody@example.com']) {
      expect(await hashesOf(email, `no ${NO_BREAK}one`)).toEqual(['no  one', `no ${NO_BREAK}one`]);
      expect(await hashesOf(email, 'no  one')).toEqual(['no  one']);
      expect(await hashesOf(email, 'cafe\u0301')).toEqual(['caf\u00e9']);
    }
  });

  test('changes a password as the current one, and is no new one beside it', async () => {
    const passwordHash = await idcard.hasher.hash(spaced);
    await idcard.directory.add({ email: 'ria@example.com', passwordHash, roles: [] });
    const change = async (current_password: string, new_password: string) => {
      const { access_token } = await logIn(idcard, { email: 'ria@example.com', password: current_password });
      return idcard.put(
        '/v1/me/password',
        { current_password, new_password },
        { authorization: `Bearer ${access_token}` },
      );
    };
    const same = await change(spaced, PASSWORD);
    expect(same.statusCode).toBe(400);
    expect(same.json().errors).toMatchObject([
      { pointer: '#/new_password', detail: 'Must differ from the current password.' },
    ]);
    expect((await change(spaced, NEW_PASSWORD.replaceAll(' ', NO_BREAK))).statusCode).toBe(200);
    expect(await login('ria@example.com', NEW_PASSWORD)).toBe(200);
  });

  test('changes one that was hashed as it was typed, and that no login has made anew', async () => {
    const id = await plant('sue@example.com');
    const { access_token } = await logIn(idcard, { email: 'sue@example.com', password: PASSWORD });
    await idcard.directory.update(id, { passwordHash: await idcard.hasher.hash(spaced) });
    const { statusCode } = await idcard.put(
      '/v1/me/password',
      { current_password: spaced, new_password: NEW_PASSWORD },
      { authorization: `Bearer ${access_token}` },
    );
    expect(statusCode).toBe(200);
  });
});
