import { vi } from 'vitest';
import { unavailable } from '../src/problems/general.ts';
import { ADA, addUser, BOB, bearer, logIn, type TestApp } from './support/app.ts';
import { createProofKey, fetchNonce, forgeProof, proofClaims } from './support/dpop.ts';
import { describe, expect, startIdcard, test } from './support/idcard.ts';

const WRONG = 'violet otters play go';
const HOME = '203.0.113.7';

let harness: TestApp;

function pass(seconds: number): void {
  harness.time.passedMs += seconds * 1000;
}

/** How often the directory was asked, and whether it is away. */
let directoryState: { asked: number; isAway: boolean };

/** An app with Ada in it, and what counts the passwords that reach the hash. */
async function createLimitedApp(env: Record<string, string> = {}) {
  const state = { asked: 0, isAway: false };
  const ask = <T>(answer: () => Promise<T>) => {
    state.asked++;
    return state.isAway ? Promise.reject(unavailable()) : answer();
  };
  directoryState = state;
  harness = await startIdcard({
    env,
    directory: (real) => ({
      ...real,
      findByEmail: (email) => ask(() => real.findByEmail(email)),
      findById: (id) => ask(() => real.findById(id)),
    }),
  });
  await addUser(harness);
  return vi.spyOn(harness.hasher, 'verify');
}

interface AttemptOptions {
  email?: string;
  from?: string;
  forwarded?: string;
  device?: string | undefined;
  cookie?: string;
}

function attempt(password = WRONG, options: AttemptOptions = {}) {
  const { email = ADA.email, from = '192.0.2.1', forwarded, device, cookie } = options;
  return harness.app.inject({
    method: 'POST',
    url: '/v1/login',
    remoteAddress: from,
    headers: { ...(forwarded && { 'x-forwarded-for': forwarded }), ...(cookie !== undefined && { cookie }) },
    body: {
      email,
      password,
      ...(device !== undefined && { device_token: device }),
      ...(cookie !== undefined && { transport: 'cookie' }),
    },
  });
}

/** What the device of whoever has just logged in keeps. */
async function deviceTokenOf(user = ADA): Promise<string> {
  const response = await attempt(user.password, { email: user.email, from: HOME });
  return response.json().device_token;
}

function changePassword(
  accessToken: string,
  current_password = WRONG,
  new_password = 'nine lazy clouds over Turin',
) {
  return harness.app.inject({
    method: 'PUT',
    url: '/v1/me/password',
    remoteAddress: '192.0.2.1',
    headers: bearer(accessToken),
    body: { current_password, new_password },
  });
}

function register(password = WRONG, email = 'eve@example.com') {
  const body = { email, password };
  return harness.app.inject({ method: 'POST', url: '/v1/register', remoteAddress: HOME, body });
}

/** An address of its own for each number. */
function stranger(index: number): string {
  return `198.51.${index >> 8}.${index & 255}`;
}

describe('a guess too many', () => {
  test('is 429 with the seconds to wait, before the password reaches the hash', async () => {
    const verify = await createLimitedApp();
    for (let index = 0; index < 11; index++) expect((await attempt()).statusCode).toBe(401);

    const response = await attempt();
    expect(response.statusCode).toBe(429);
    expect(response.headers['retry-after']).toBe('1');
    expect(response).toBeProblem('too-many-requests');
    expect(response.json()).toEqual({
      type: 'urn:idcard:problem:too-many-requests',
      title: 'Too many requests',
      status: 429,
      detail: 'Too many attempts; try again after the seconds in Retry-After.',
    });
    expect(verify).toHaveBeenCalledTimes(11);
  });

  test('is refused even with the right password, and admitted after the seconds to wait', async () => {
    await createLimitedApp();
    for (let index = 0; index < 11; index++) await attempt();
    expect((await attempt(ADA.password)).statusCode).toBe(429);
    pass(1);
    expect((await attempt(ADA.password)).statusCode).toBe(200);
    expect((await attempt(ADA.password)).statusCode).toBe(200);
  });

  test('looks the same for a user and for nobody', async () => {
    await createLimitedApp();
    const answers: unknown[] = [];
    for (const email of [ADA.email, 'nobody@example.com']) {
      const statuses: number[] = [];
      for (let index = 0; index < 13; index++) {
        statuses.push((await attempt(WRONG, { email, from: stranger(index) })).statusCode);
      }
      const { headers, body } = await attempt(WRONG, { email });
      answers.push({ statuses, body, names: Object.keys(headers), wait: headers['retry-after'] });
    }
    expect(answers[1]).toEqual(answers[0]);
  });

  test('is one too many in any spelling of the email', async () => {
    await createLimitedApp();
    for (let index = 0; index < 11; index++) {
      await attempt(WRONG, { email: index % 2 ? 'ADA@EXAMPLE.com' : 'Ada@example.COM' });
    }
    expect((await attempt()).statusCode).toBe(429);
  });

  test('is none with RATE_LIMITS=off', async () => {
    const verify = await createLimitedApp({ RATE_LIMITS: 'off' });
    verify.mockResolvedValue(false);
    for (let index = 0; index < 120; index++) expect((await attempt()).statusCode).toBe(401);
  });
});

describe('on one account', () => {
  test('23 guesses reach the hash before the delay is an hour, however many are made and from wherever', async () => {
    const verify = await createLimitedApp();
    verify.mockResolvedValue(false);
    let wait = 0;
    for (let sent = 0; wait < 3600 && sent < 10_000; sent++) {
      const response = await attempt(`violet otters play ${sent}`, { from: stranger(sent) });
      wait = Number(response.headers['retry-after'] ?? 0);
      pass(wait < 3600 ? wait : 0);
    }
    expect(wait).toBe(3600);
    expect(verify).toHaveBeenCalledTimes(23);
  });

  test('two hundred guesses at once are all counted', async () => {
    const verify = await createLimitedApp();
    const responses = await Promise.all(
      Array.from({ length: 200 }, (_, index) => attempt(WRONG, { from: stranger(index) })),
    );
    const statuses = responses.map(({ statusCode }) => statusCode);
    expect(statuses.filter((status) => status === 401)).toHaveLength(11);
    expect(statuses.filter((status) => status === 429)).toHaveLength(189);
    expect(verify).toHaveBeenCalledTimes(11);
  });

  test('guesses at the password that a change asks for are counted apart, by the user', async () => {
    await createLimitedApp();
    const { access_token } = await logIn(harness);
    for (let index = 0; index < 12; index++) await attempt(WRONG, { from: stranger(index) });
    expect((await attempt()).statusCode).toBe(429);
    for (let index = 0; index < 11; index++)
      expect((await changePassword(access_token)).statusCode).toBe(403);
    expect((await changePassword(access_token)).statusCode).toBe(429);
    pass(1);
    expect((await changePassword(access_token, ADA.password)).statusCode).toBe(200);
  });
});

describe('a device that the account was logged in to from', () => {
  async function exhaust(email = ADA.email) {
    for (let index = 0; index < 14; index++) await attempt(WRONG, { email, from: stranger(index) });
    expect((await attempt(WRONG, { email })).statusCode).toBe(429);
  }

  test('is not kept out by the guesses of strangers, wherever it is', async () => {
    await createLimitedApp();
    const device = await deviceTokenOf();
    await exhaust();
    expect((await attempt(ADA.password)).statusCode).toBe(429);
    const response = await attempt(ADA.password, { device });
    expect(response.statusCode).toBe(200);
    const next = response.json().device_token;
    expect(next).not.toBe(device);
    expect((await attempt(ADA.password, { device: next })).statusCode).toBe(200);
  });

  test('says so by a cookie where the login is in cookies, which stays when the user logs out', async () => {
    await createLimitedApp();
    const login = await attempt(ADA.password, { cookie: '' });
    expect(login.statusCode).toBe(204);
    const set = login.cookies.find(({ name }) => name === 'device');
    expect(set).toEqual({
      name: 'device',
      value: expect.stringMatching(/^[\w-]{72}$/),
      maxAge: 2_592_000,
      path: '/',
      httpOnly: true,
      sameSite: 'Lax',
    });
    const cookie = login.cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
    const logout = await harness.post('/v1/logout', undefined, { cookie });
    expect(logout.cookies.map(({ name }) => name)).toEqual(['access', 'refresh']);
    const refresh = await harness.post('/v1/refresh', undefined, { cookie });
    expect(refresh.cookies.map(({ name }) => name)).toEqual(['access', 'refresh']);
    await exhaust();
    const answer = await attempt(ADA.password, { cookie: `device=${set?.value}` });
    expect(answer.statusCode).toBe(204);
    expect(answer.cookies).toHaveLength(3);
  });

  test('is slowed down as well: 23 guesses reach the hash before the delay is an hour', async () => {
    const verify = await createLimitedApp();
    const device = await deviceTokenOf();
    verify.mockClear();
    verify.mockResolvedValue(false);
    let wait = 0;
    for (let sent = 0; wait < 3600 && sent < 10_000; sent++) {
      const response = await attempt(WRONG, { device, from: stranger(sent) });
      wait = Number(response.headers['retry-after'] ?? 0);
      pass(wait < 3600 ? wait : 0);
    }
    expect(verify).toHaveBeenCalledTimes(23);
  });

  test('has no more guesses for having logged in often: all devices of the account are counted together as well', async () => {
    const verify = await createLimitedApp();
    const devices: string[] = [];
    for (let logins = 0; logins < 20; logins++) devices.push(await deviceTokenOf());
    verify.mockClear();
    verify.mockResolvedValue(false);
    for (let sent = 0; sent < 220; sent++) {
      await attempt(WRONG, { device: String(devices[sent % 20]), from: stranger(sent) });
    }
    expect(verify).toHaveBeenCalledTimes(101);
    const refused = await attempt(WRONG, { device: String(devices[0]) });
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '1']);

    await addUser(harness, BOB);
    verify.mockRestore();
    expect((await attempt(BOB.password, { email: BOB.email, from: HOME })).statusCode).toBe(200);
    expect((await attempt(ADA.password, { from: HOME })).statusCode).toBe(200);
  });

  test('is a stranger to every other account', async () => {
    await createLimitedApp();
    await addUser(harness, BOB);
    const device = await deviceTokenOf(BOB);
    await exhaust();
    expect((await attempt(ADA.password, { device })).statusCode).toBe(429);
  });

  test('is a stranger again when its token is over, or is none, or is sent twice or elsewhere: never an error', async () => {
    await createLimitedApp();
    const device = await deviceTokenOf();
    await exhaust();
    const cookie = `device=${device}`;
    for (const options of [
      { device: '' },
      { device: 'x'.repeat(9000) },
      { device: `${device}=` },
      { device: device.replace(/.$/, '') },
      { device, cookie: '' },
      { cookie: `${cookie}; ${cookie}` },
      { cookie: `device=planted; ${cookie}` },
      { cookie: `__host-Device=${device}` },
      { cookie: `device=${device}x` },
    ]) {
      expect((await attempt(ADA.password, options)).statusCode).toBe(429);
    }
    const bearerLogin = await harness.post('/v1/login', ADA, { cookie });
    expect(bearerLogin.statusCode).toBe(429);
    harness.time.now += 2_592_000;
    expect((await attempt(ADA.password, { device })).statusCode).toBe(429);
  });

  test('is given none by a login that fails, a registration, a refresh or a change of the password', async () => {
    await createLimitedApp();
    const { refresh_token, access_token } = await logIn(harness);
    const body = { refresh_token };
    const answers = [
      await attempt(),
      await register(),
      await harness.post('/v1/refresh', body),
      await changePassword(access_token, ADA.password),
    ];
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([401, 201, 200, 200]);
    for (const answer of answers) expect(answer.json()).not.toHaveProperty('device_token');
  });
});

describe('nobody learns that an account exists', () => {
  const NOBODY = 'nobody@example.com';

  /** What a stranger sees of some guesses, one after the other, each after the wait that it was told. */
  async function watch(email: string, from: string, options: AttemptOptions = {}) {
    const seen: unknown[] = [];
    for (let index = 0; index < 16; index++) {
      const { statusCode, headers, body } = await attempt(WRONG, { email, from, ...options });
      seen.push([statusCode, Object.keys(headers), headers['retry-after'], headers.ratelimit, body]);
      if (index % 2) pass(Number(headers['retry-after'] ?? 0));
    }
    return seen;
  }

  test('by guesses from a network from which its owner has logged in', async () => {
    await createLimitedApp();
    await attempt(ADA.password, { from: HOME });
    await attempt(ADA.password, { from: '192.0.2.7' });
    expect(await watch(ADA.email, HOME)).toEqual(await watch(NOBODY, '192.0.2.7'));
  });

  test('by guesses with the device token of an account of their own, or with one that was made up', async () => {
    await createLimitedApp();
    await addUser(harness, BOB);
    for (const device of [await deviceTokenOf(BOB), 'A'.repeat(72)]) {
      const [one, other] = [`192.0.2.${device.length}`, `192.0.3.${device.length}`];
      expect(await watch(ADA.email, one, { device })).toEqual(await watch(NOBODY, other, { device }));
      pass(86_400);
    }
  });

  test.each([
    ['with its device', true],
    ['without it', false],
  ])('by guesses before and after its owner logged in %s', async (_, hasDevice) => {
    await createLimitedApp();
    const device = hasDevice ? await deviceTokenOf() : undefined;
    const before = await watch(ADA.email, '192.0.2.1');
    expect(before).toEqual(await watch(NOBODY, '192.0.2.2'));
    expect(before.at(-1)).toContain(429);

    pass(3600);
    for (let index = 0; index < 3; index++) {
      expect((await attempt(ADA.password, { from: HOME, device })).statusCode).toBe(200);
    }
    expect(await watch(ADA.email, '192.0.2.1')).toEqual(await watch(NOBODY, '192.0.2.2'));
  });
});

describe('what is refused', () => {
  test('has asked no directory and checked no password against the list', async () => {
    await createLimitedApp();
    const { access_token } = await logIn(harness);
    for (let index = 0; index < 11; index++) {
      await attempt();
      await changePassword(access_token);
      await register();
    }
    const { asked } = directoryState;
    expect(asked).toBeGreaterThan(20);
    expect((await attempt()).statusCode).toBe(429);
    expect((await changePassword(access_token)).statusCode).toBe(429);
    expect((await changePassword(access_token, WRONG, 'password')).statusCode).toBe(429);
    expect((await register()).statusCode).toBe(429);
    expect((await register('password1password1')).statusCode).toBe(429);
    expect(directoryState.asked).toBe(asked);
  });

  test('has checked no proof, so that the same one is good for the next attempt', async () => {
    await createLimitedApp();
    const nonce = await fetchNonce(harness);
    for (let index = 0; index < 11; index++) await attempt();
    const dpop = forgeProof(createProofKey(), proofClaims('POST', '/v1/login', nonce));
    const logInWith = (proof: string) => harness.post('/v1/login', ADA, { dpop: proof });
    expect((await logInWith('no proof')).statusCode).toBe(429);
    expect((await logInWith(dpop)).statusCode).toBe(429);
    pass(1);
    expect((await logInWith(dpop)).statusCode).toBe(200);
  });
});

describe('what fails before its hash', () => {
  test('for a bad proof is no guess', async () => {
    await createLimitedApp();
    for (let index = 0; index < 120; index++) {
      const { statusCode } = await harness.app.inject({
        method: 'POST',
        url: '/v1/login',
        remoteAddress: '192.0.2.1',
        headers: { dpop: 'no proof' },
        body: ADA,
      });
      expect(statusCode).toBe(400);
    }
    expect((await attempt(ADA.password)).statusCode).toBe(200);
  });

  test('for a directory that is away is no guess, at a login and at a change', async () => {
    await createLimitedApp();
    const { access_token } = await logIn(harness);
    directoryState.isAway = true;
    for (let index = 0; index < 60; index++) {
      expect((await attempt()).statusCode).toBe(503);
      expect((await changePassword(access_token)).statusCode).toBe(503);
    }
    directoryState.isAway = false;
    const { headers } = await attempt();
    expect(headers.ratelimit).toBe('"address";r=99;t=3600');
    expect((await changePassword(access_token, ADA.password)).statusCode).toBe(200);
  });

  test('for a password that is too easy is no guess, but its address answers for what judging it costs', async () => {
    await createLimitedApp();
    const { access_token } = await logIn(harness);
    const tooEasy = 'password1password1';
    for (let index = 0; index < 98; index++) {
      expect((await register(tooEasy)).statusCode).toBe(400);
      expect((await changePassword(access_token, WRONG, tooEasy)).statusCode).toBe(400);
    }
    expect((await register()).statusCode).toBe(201);
    expect((await changePassword(access_token, ADA.password)).statusCode).toBe(200);
    for (let index = 0; index < 2; index++) expect((await register(tooEasy)).statusCode).toBe(400);
    const { statusCode, headers } = await register(tooEasy);
    expect([statusCode, headers['retry-after']]).toEqual([429, '1']);
  });
});

describe('a form with something else wrong in it', () => {
  const tooEasy = 'password1password1';

  test('is judged as well, and its address answers for that, whoever filled in the same before', async () => {
    await createLimitedApp();
    const statuses = new Set<number>();
    for (let index = 0; index < 201; index++) statuses.add((await register(tooEasy, 'eve')).statusCode);
    expect([...statuses]).toEqual([400, 429]);
    const body = { email: 'eve', password: tooEasy };
    const elsewhere = { method: 'POST', url: '/v1/register', remoteAddress: stranger(1), body } as const;
    expect((await harness.app.inject(elsewhere)).statusCode).toBe(400);
  });

  test('is not counted where there is no password to judge', async () => {
    await createLimitedApp();
    for (let index = 0; index < 150; index++) expect((await register('', 'eve')).statusCode).toBe(400);
    expect((await register()).headers.ratelimit).toBe('"address";r=99;t=3600');
  });
});

describe('from one address', () => {
  async function guessAtEverybody(count: number, from: (index: number) => string, forwarded?: string) {
    let last = 0;
    for (let index = 0; index < count; index++) {
      const options = {
        email: `user${index}@example.com`,
        from: from(index),
        ...(forwarded && { forwarded }),
      };
      last = (await attempt(WRONG, options)).statusCode;
    }
    return last;
  }

  test('a hundred guesses at different accounts are free, also from all over one IPv6 /64', async () => {
    const verify = await createLimitedApp();
    verify.mockResolvedValue(false);
    const inOneNetwork = (index: number) => `2001:db8:1:2:${index.toString(16)}::1`;
    expect(await guessAtEverybody(101, inOneNetwork)).toBe(401);
    expect((await attempt(WRONG, { from: '2001:db8:1:2:ffff::9' })).statusCode).toBe(429);
    expect((await attempt(WRONG, { from: '2001:db8:1:3::1' })).statusCode).toBe(401);
  });

  test('a /56 and a /48 have no count for each of their parts, and the answer is true of the own address', async () => {
    const verify = await createLimitedApp();
    verify.mockResolvedValue(false);
    await guessAtEverybody(401, (index) => `2001:db8:1:${(index % 200).toString(16)}::1`);
    const { statusCode, headers } = await attempt(WRONG, { from: '2001:db8:1:ff::1' });
    expect([statusCode, headers['retry-after'], headers.ratelimit]).toEqual([429, '1', '"address";r=100']);
    await guessAtEverybody(1500, (index) => `2001:db8:1:${(256 + (index % 60_000)).toString(16)}::1`);
    const refused = await attempt(WRONG, { from: '2001:db8:1:ffff::1' });
    expect([refused.statusCode, refused.headers.ratelimit]).toEqual([429, '"address";r=100']);
    expect((await attempt(WRONG, { from: '2001:db8:2::1' })).statusCode).toBe(401);
  });

  test('X-Forwarded-For gives a stranger no other one', async () => {
    const verify = await createLimitedApp({ TRUSTED_PROXIES: '10.0.0.0/8' });
    verify.mockResolvedValue(false);
    await guessAtEverybody(101, () => '192.0.2.1');
    expect((await attempt(WRONG, { forwarded: '198.51.100.1' })).statusCode).toBe(429);
    expect(
      (await attempt(WRONG, { from: '10.0.0.1', forwarded: '198.51.100.1, 192.0.2.1' })).statusCode,
    ).toBe(429);
    expect((await attempt(WRONG, { from: '10.0.0.1', forwarded: '198.51.100.1' })).statusCode).toBe(401);
  });

  test('registrations are limited too, since each costs a hash', async () => {
    await createLimitedApp();
    const hash = vi.spyOn(harness.hasher, 'hash').mockResolvedValue('no hash');
    const register = (email: string) =>
      harness.app.inject({
        method: 'POST',
        url: '/v1/register',
        remoteAddress: HOME,
        body: { email, password: WRONG },
      });
    const statuses: number[] = [];
    for (let index = 0; index < 102; index++) {
      statuses.push((await register(`user${index}@example.com`)).statusCode);
    }
    expect(statuses).toEqual([...Array(101).fill(201), 429]);
    expect(hash).toHaveBeenCalledTimes(101);
  });
});
