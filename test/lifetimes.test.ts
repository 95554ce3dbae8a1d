import { addUser, bearer, logIn, START, type TestApp } from './support/app.ts';
import { forgeAccess, forgeRefresh } from './support/forge.ts';
import { test as base, describe, expect, startIdcard } from './support/idcard.ts';

/** The process with the first settings, and what it is restarted with; both have the same keys and users. */
const test = base
  .extend('first', async () => {
    const first = await startIdcard({ env: { ACCESS_TOKEN_TTL_SECONDS: '3600' } });
    return { ...first, userId: (await addUser(first)).id };
  })
  .extend('startWith', ({ first }) => async (env: Record<string, string>, now = START): Promise<TestApp> => {
    const other = await startIdcard({ env, jwks: first.jwks, directory: () => first.directory });
    other.time.now = now;
    await other.app.ready();
    return other;
  });

async function verify({ get }: TestApp, token: string): Promise<string> {
  const response = await get('/v1/verify', bearer(token));
  return response.statusCode === 200 ? 'good' : response.json().detail;
}
async function refresh({ post }: TestApp, refresh_token: string): Promise<string> {
  const response = await post('/v1/refresh', { refresh_token });
  return response.statusCode === 200 ? 'good' : response.json().detail;
}
const EXPIRED = 'The token has expired.';
const REVOKED = 'The token has been revoked; log in again.';

describe('when access tokens live for 10 s instead of an hour', () => {
  test('those that were made before live no longer, remembered or not', async ({ first, startWith }) => {
    const tokens = [(await logIn(first)).access_token, (await logIn(first)).access_token] as const;
    const shorter = await startWith({ ACCESS_TOKEN_TTL_SECONDS: '10' });
    expect(await verify(shorter, tokens[0])).toBe('good');
    shorter.time.now = START + 9;
    for (const token of tokens) expect(await verify(shorter, token)).toBe('good');
    shorter.time.now = START + 10;
    for (const token of [...tokens, (await logIn(first)).access_token])
      expect(await verify(shorter, token)).toBe(EXPIRED);
  });

  test('a token that was revoked before never comes alive again', async ({ first, startWith }) => {
    const { access_token } = await logIn(first);
    await first.directory.updateAndVoidTokens(first.userId, {});
    const shorter = await startWith({ ACCESS_TOKEN_TTL_SECONDS: '10' });
    for (let second = 0; second < 3700; second += 2) {
      shorter.time.now = START + second;
      await shorter.app.pollRevocations();
      expect(await verify(shorter, access_token)).toBe(second < 10 ? REVOKED : EXPIRED);
    }
  });
});

test('when access tokens live for an hour instead of 10 s, those that were made before have their 10 s', async ({
  first,
  startWith,
}) => {
  const shorter = await startWith({ ACCESS_TOKEN_TTL_SECONDS: '10' });
  const [good, bad] = [await logIn(shorter), await logIn(shorter)];
  await first.directory.updateAndVoidTokens(first.userId, {});
  const fresh = await logIn(first);
  const longer = await startWith({ ACCESS_TOKEN_TTL_SECONDS: '3600' });
  expect(await verify(longer, bad.access_token)).toBe(REVOKED);
  longer.time.now = START + 10;
  expect(await verify(longer, good.access_token)).toBe(EXPIRED);
  longer.time.now = START + 3599;
  expect(await verify(longer, fresh.access_token)).toBe('good');
  longer.time.now = START + 3600;
  expect(await verify(longer, fresh.access_token)).toBe(EXPIRED);
});

test('two replicas of a rollout refuse each what is too old for themselves, and what was revoked', async ({
  first,
  startWith,
}) => {
  const shorter = await startWith({ ACCESS_TOKEN_TTL_SECONDS: '10' });
  const { access_token } = await logIn(first);
  const short = await logIn(shorter);
  for (const now of [START + 9, START + 10]) {
    for (const replica of [first, shorter]) replica.time.now = now;
    expect(await verify(shorter, access_token)).toBe(now < START + 10 ? 'good' : EXPIRED);
    expect(await verify(first, short.access_token)).toBe(now < START + 10 ? 'good' : EXPIRED);
  }
  await shorter.directory.updateAndVoidTokens(first.userId, {});
  for (let second = 11; second < 3602; second += 7) {
    for (const replica of [first, shorter]) {
      replica.time.now = START + second;
      await replica.app.pollRevocations();
      expect(await verify(replica, access_token)).not.toBe('good');
    }
  }
});

describe('a refresh token of longer settings', () => {
  const DAY = 86_400;
  test('lives no longer without use than today’s allow', async ({ first, startWith }) => {
    const { refresh_token } = await logIn(first);
    const shorter = await startWith({ REFRESH_TOKEN_IDLE_SECONDS: String(DAY) }, START + DAY - 1);
    expect(await refresh(shorter, refresh_token)).toBe('good');
    shorter.time.now = START + DAY;
    expect(await refresh(shorter, refresh_token)).toBe(EXPIRED);
    expect(await refresh(first, refresh_token)).toBe('good');
  });

  test('nor longer after the login', async ({ first, startWith }) => {
    const env = { REFRESH_TOKEN_IDLE_SECONDS: String(DAY), LOGIN_MAX_AGE_SECONDS: String(2 * DAY) };
    const claims = { sub: first.userId, auth_time: START - 2 * DAY + 1, iat: START, exp: START + 7 * DAY };
    const shorter = await startWith(env);
    expect(await refresh(shorter, forgeRefresh(first.jwks, claims))).toBe('good');
    shorter.time.now = START + 1;
    expect(await refresh(shorter, forgeRefresh(first.jwks, claims))).toBe(
      'This login has reached its greatest age; log in again.',
    );
  });
});

test('a token whose issuer’s clock is ahead by the tolerance does not outlive its revocation', async ({
  first,
  startWith,
}) => {
  const ahead = await startWith({ ACCESS_TOKEN_TTL_SECONDS: '60' }, START + 5);
  const { access_token } = await logIn(ahead);
  const right = await startWith({ ACCESS_TOKEN_TTL_SECONDS: '60' });
  expect(await verify(right, access_token)).toBe('good');
  await first.directory.updateAndVoidTokens(first.userId, {}); // after the login, by a clock that is right
  for (let second = 0; second < 200; second++) {
    right.time.now = START + second;
    await right.app.pollRevocations();
    expect(await verify(right, access_token)).toBe(second < 65 ? REVOKED : EXPIRED);
  }
});

test('nor does one whose user was read by others a minute after the revocation says that it was made', async ({
  first,
  startWith,
}) => {
  // A change that waits for a lock has its time from before it.
  const replica = await startWith({ ACCESS_TOKEN_TTL_SECONDS: '60' }, START + 59);
  const { access_token } = await logIn(replica);
  await first.directory.updateAndVoidTokens(first.userId, {});
  for (let second = 59; second < 200; second++) {
    replica.time.now = START + second;
    await replica.app.pollRevocations();
    expect(await verify(replica, access_token)).toBe(second < 119 ? REVOKED : EXPIRED);
  }
});

test.for([
  ['an exp of a year', { exp: START + 31_536_000 }, 300],
  ['an earlier exp', { exp: START + 20 }, 20],
  ['an iat in the past', { iat: START - 100, exp: START + 31_536_000 }, 200],
  ['an iat in the future', { iat: START + 5, exp: START + 31_536_000 }, 305],
] as const)('a token with %s ends after %o', async ([, claims, lastsSeconds], { first, startWith }) => {
  const idcard = await startWith({});
  const token = forgeAccess(first.jwks, { sub: first.userId, ...claims });
  for (const _seen of ['first', 'again']) expect(await verify(idcard, token)).toBe('good');
  idcard.time.now = START + lastsSeconds - 1;
  expect(await verify(idcard, token)).toBe('good');
  idcard.time.now = START + lastsSeconds;
  expect(await verify(idcard, token)).toBe(EXPIRED);
});
