import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { unavailable } from '../src/problems/catalogue.ts';
import { ADA, addUser, bearer, createTestApp, logIn, type TestApp } from './support/app.ts';
import { createProofKey, fetchNonce, forgeProof, proofClaims } from './support/dpop.ts';

const WRONG = 'violet otters play go';
const HOME = '203.0.113.7';

let harness: TestApp;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] });
});
afterEach(async () => {
  vi.useRealTimers();
  await harness.close();
});

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
  harness = await createTestApp({
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

function attempt(password = WRONG, { email = ADA.email, from = '192.0.2.1', forwarded = '' } = {}) {
  return harness.app.inject({
    method: 'POST',
    url: '/v1/login',
    remoteAddress: from,
    headers: forwarded ? { 'x-forwarded-for': forwarded } : {},
    body: { email, password },
  });
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

function register(password = WRONG) {
  const body = { email: 'eve@example.com', password };
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
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
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
    vi.advanceTimersByTime(1000);
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
      vi.advanceTimersByTime(wait < 3600 ? wait * 1000 : 0);
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

  test("a stranger's guesses do not keep the user out of a network they logged in from", async () => {
    await createLimitedApp();
    expect((await attempt(ADA.password, { from: HOME })).statusCode).toBe(200);
    for (let index = 0; index < 30; index++) await attempt(WRONG, { from: stranger(index) });
    expect((await attempt(ADA.password, { from: stranger(99) })).statusCode).toBe(429);
    expect((await attempt(ADA.password, { from: HOME })).statusCode).toBe(200);
  });

  test('guesses at the password that a change asks for are counted apart, by the user', async () => {
    await createLimitedApp();
    const { access_token } = await logIn(harness);
    for (let index = 0; index < 12; index++) await attempt(WRONG, { from: stranger(index) });
    expect((await attempt()).statusCode).toBe(429);
    for (let index = 0; index < 11; index++)
      expect((await changePassword(access_token)).statusCode).toBe(403);
    expect((await changePassword(access_token)).statusCode).toBe(429);
    vi.advanceTimersByTime(1000);
    expect((await changePassword(access_token, ADA.password)).statusCode).toBe(200);
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
    const logInWith = (proof: string) =>
      harness.app.inject({ method: 'POST', url: '/v1/login', headers: { dpop: proof }, body: ADA });
    expect((await logInWith('no proof')).statusCode).toBe(429);
    expect((await logInWith(dpop)).statusCode).toBe(429);
    vi.advanceTimersByTime(1000);
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

  test('for a password that is too easy is no guess', async () => {
    await createLimitedApp();
    const { access_token } = await logIn(harness);
    for (let index = 0; index < 60; index++) {
      expect((await register('password1password1')).statusCode).toBe(400);
      expect((await changePassword(access_token, WRONG, 'password1password1')).statusCode).toBe(400);
    }
    expect((await register()).statusCode).toBe(201);
    expect((await changePassword(access_token, ADA.password)).statusCode).toBe(200);
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
