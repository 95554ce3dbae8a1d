import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { unavailable } from '../src/problems/general.ts';
import { ADA, addUser, BOB, bearer, createTestApp, logIn, type TestApp } from './support/app.ts';

const WRONG = 'violet otters play go';
const REFUSAL = {
  type: 'urn:idcard:problem:invalid-credentials',
  title: 'Invalid credentials',
  status: 401,
  detail: 'The email or the password is wrong.',
};

let harness: TestApp;
beforeAll(async () => {
  harness = await createTestApp({ env: { RATE_LIMITS: 'off' } });
});
afterAll(() => harness.close());

function post(url: string, body: Record<string, unknown>) {
  return harness.app.inject({ method: 'POST', url, body });
}

/** Everything that a client can see of an answer, but the time of day. */
async function answerTo(email: string, password: string, transport = 'bearer') {
  const { statusCode, headers, rawPayload } = await post('/v1/login', { email, password, transport });
  const { date: _, 'x-request-id': __, ...rest } = headers;
  return { statusCode, headers: rest, names: Object.keys(rest), body: rawPayload.toString('hex') };
}

const GUESSABLE =
  'Must be harder to guess: common words, repeats and runs like 123 or qwerty count for little.';

describe('a login that fails', () => {
  beforeAll(async () => {
    await addUser(harness, ADA);
    const banned = await addUser(harness, BOB);
    await harness.directory.updateAndVoidTokens(banned.id, { status: 'disabled' });
    await harness.directory.add({ email: 'sso@example.com', passwordHash: null, roles: [] });
    await harness.directory.add({ email: 'odd@example.com', passwordHash: '$argon2id$v=19$', roles: [] });
  });

  test('is 401 with a challenge, without a code and without a word of what was sent', async () => {
    const response = await post('/v1/login', { email: ADA.email, password: WRONG });
    expect(response.statusCode).toBe(401);
    expect(response.headers['www-authenticate']).toBe(
      'Bearer realm="idcard", DPoP realm="idcard", algs="ES256 EdDSA"',
    );
    expect(response.headers['cache-control']).toBe('no-store');
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(response.cookies).toEqual([]);
    expect(response.json()).toEqual(REFUSAL);
  });

  test.each(['bearer', 'cookie'])('looks the same whatever failed, by %s', async (transport) => {
    const wrongPassword = await answerTo(ADA.email, WRONG, transport);
    const others = [
      await answerTo('nobody@example.com', ADA.password, transport),
      await answerTo(BOB.email, BOB.password, transport),
      await answerTo(BOB.email, WRONG, transport),
      await answerTo('sso@example.com', ADA.password, transport),
      await answerTo('odd@example.com', ADA.password, transport),
    ];
    for (const other of others) expect(other).toEqual(wrongPassword);
  });

  test('verifies one hash, whatever failed', async () => {
    const verify = vi.spyOn(harness.hasher, 'verify');
    const emails = [ADA.email, BOB.email, 'nobody@example.com', 'sso@example.com', 'odd@example.com'];
    for (const email of emails) await post('/v1/login', { email, password: WRONG });
    expect(verify.mock.calls.map(([, password]) => password)).toEqual(emails.map(() => WRONG));
    verify.mockRestore();
  });

  test('is logged with the user who was meant, and without the email, the password and its hash', async () => {
    const before = harness.logText().length;
    const unknown = 'my-password-in-the-wrong-field@example.com';
    await post('/v1/login', { email: ADA.email, password: WRONG });
    await post('/v1/login', { email: unknown, password: WRONG });
    const lines = harness.logText().slice(before);
    const ada = await harness.directory.findByEmail(ADA.email);
    const events = lines
      .trim()
      .split('\n')
      .map((line): Record<string, unknown> => JSON.parse(line));
    expect(events.map(({ event, sub }) => [event, sub])).toEqual([
      ['login.failed', ada?.id],
      ['login.failed', undefined],
    ]);
    for (const text of [ADA.email, unknown, WRONG, 'argon2']) expect(lines).not.toContain(text);
  });

  test('that the directory could not answer is 503, for everybody alike', async () => {
    const broken = await createTestApp({
      directory: (real) => ({
        ...real,
        findByEmail: () => Promise.reject(unavailable({ retryAfterSeconds: 2 })),
      }),
    });
    for (const body of [ADA, { email: 'nobody@example.com', password: WRONG }]) {
      const answer = await broken.app.inject({ method: 'POST', url: '/v1/login', body });
      expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '2']);
      expect(answer.json().type).toBe('urn:idcard:problem:unavailable');
    }
    await broken.close();
  });
});

describe('a password', () => {
  let users = 0;
  async function register(password: string) {
    const email = `user${users++}@example.com`;
    return { email, response: await post('/v1/register', { email, password }) };
  }

  async function loginStatus(email: string, password: string): Promise<number> {
    return (await post('/v1/login', { email, password })).statusCode;
  }

  test('set with a letter and an accent is the one typed as a single character', async () => {
    const { email, response } = await register('cafe\u0301 violet otter quilts');
    expect(response.statusCode).toBe(201);
    expect(await loginStatus(email, 'caf\u00e9 violet otter quilts')).toBe(200);
    expect(await loginStatus(email, 'cafe\u0301 violet otter quilts')).toBe(200);
    expect(await loginStatus(email, 'cafe violet otter quilts')).toBe(401);
  });

  test('goes on after a NUL', async () => {
    const { email, response } = await register('violet otters\u0000play chess');
    expect(response.statusCode).toBe(201);
    expect(await loginStatus(email, 'violet otters\u0000play chess')).toBe(200);
    expect(await loginStatus(email, 'violet otters\u0000play go')).toBe(401);
    expect(await loginStatus(email, 'violet otters')).toBe(401);
  });

  test('of 64 characters of four bytes is allowed, and its last character counts', async () => {
    const otters = ['🦦', '🎻', '🧊', '🪁'].join('').repeat(15);
    const { email, response } = await register(`${otters}🌋🧶🥨🦚`);
    expect(response.statusCode).toBe(201);
    expect(await loginStatus(email, `${otters}🌋🧶🥨🦚`)).toBe(200);
    expect(await loginStatus(email, `${otters}🌋🧶🥨🛶`)).toBe(401);
  });

  test.each([
    ['of 257 bytes', `violet otters play chess ${'x'.repeat(232)}`, 'Must have 256 bytes at most in UTF-8.'],
    ['with a lone surrogate', 'violet otters play \ud800chess', 'Must be well-formed Unicode.'],
    ['that is empty', '', 'Must not be empty.'],
  ])(
    '%s is 400 at registration, login and change, and no cut of it is a password',
    async (_what, bad, detail) => {
      const hash = vi.spyOn(harness.hasher, 'hash');
      const verify = vi.spyOn(harness.hasher, 'verify');
      const { access_token } = await logIn(harness);
      verify.mockClear();
      const headers = bearer(access_token);
      const changed = (body: Record<string, unknown>) =>
        harness.app.inject({ method: 'PUT', url: '/v1/me/password', headers, body });
      const answers = [
        [(await register(bad)).response, '#/password'],
        [await post('/v1/login', { email: ADA.email, password: bad }), '#/password'],
        [await changed({ current_password: ADA.password, new_password: bad }), '#/new_password'],
        [await changed({ current_password: bad, new_password: BOB.password }), '#/current_password'],
      ] as const;
      for (const [response, pointer] of answers) {
        expect(response.statusCode).toBe(400);
        expect(response.json().errors).toMatchObject([{ pointer, detail }]);
        if (bad) expect(response.body).not.toContain('violet');
      }
      expect(hash).not.toHaveBeenCalled();
      expect(verify).not.toHaveBeenCalled();
      vi.restoreAllMocks();
    },
  );

  test.each([
    ['too short', 'violet otters', 'Must have at least 15 characters.'],
    ['a run', 'abcdefghijklmnopqrstuvwxyz', GUESSABLE],
    ['made of common words', 'iloveyouforever', GUESSABLE],
    ['the email', 'ada@example.com!!', 'Must not be made of your email or of idcard.'],
  ])('that is %s is refused at registration and at a change', async (_what, password, detail) => {
    const { access_token } = await logIn(harness);
    const registered = await post('/v1/register', { email: 'ada@example.org', password });
    const changed = await harness.app.inject({
      method: 'PUT',
      url: '/v1/me/password',
      headers: bearer(access_token),
      body: { current_password: ADA.password, new_password: password },
    });
    expect([registered.statusCode, changed.statusCode]).toEqual([400, 400]);
    expect(registered.json().type).toBe('urn:idcard:problem:weak-password');
    expect(changed.json().errors).toMatchObject([{ pointer: '#/new_password', detail }]);
    expect(await harness.directory.findByEmail('ada@example.org')).toBeUndefined();
    expect(await loginStatus(ADA.email, ADA.password)).toBe(200);
  });
});
