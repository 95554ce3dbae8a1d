import { vi } from 'vitest';
import { ADA, addUser, BOB, bearer, logIn, type TestApp } from './support/app.ts';
import { expect, startIdcard, test } from './support/idcard.ts';

const WRONG = 'violet otters play go';
const POLICY = '"address";q=100;w=3600';

let harness: TestApp;

async function createLimitedApp(env: Record<string, string> = {}): Promise<void> {
  harness = await startIdcard({ env });
  await addUser(harness);
}

async function post(url: string, body: Record<string, unknown>, remoteAddress = '192.0.2.1', origin = '') {
  const headers = origin ? { origin } : {};
  return harness.app.inject({ method: 'POST', url, remoteAddress, headers, body });
}

type Answer = Awaited<ReturnType<typeof post>>;

/** The status, and what the answer says about the limit. */
function limitIn({ statusCode, headers }: Answer) {
  const { 'ratelimit-policy': policy, ratelimit, 'retry-after': wait } = headers;
  return [statusCode, policy, ratelimit, wait];
}

test('a failed login says how many attempts are left to its address, and a login that succeeds takes none', async () => {
  await createLimitedApp();
  const wrong = { ...ADA, password: WRONG };
  expect(limitIn(await post('/v1/login', wrong))).toEqual([401, POLICY, '"address";r=99;t=3600', undefined]);
  expect(limitIn(await post('/v1/login', wrong))).toEqual([401, POLICY, '"address";r=98;t=3600', undefined]);
  const loggedIn = await post('/v1/login', ADA);
  expect(limitIn(loggedIn)).toEqual([200, POLICY, '"address";r=98;t=3600', undefined]);
  const cookies = await post('/v1/login', { ...ADA, transport: 'cookie' });
  expect(limitIn(cookies)).toEqual([204, POLICY, '"address";r=98;t=3600', undefined]);
  expect(limitIn(await post('/v1/login', wrong, '192.0.2.2'))[2]).toBe('"address";r=99;t=3600');
});

test('a registration and a change of the password say it too', async () => {
  await createLimitedApp();
  expect(limitIn(await post('/v1/register', BOB))).toEqual([201, POLICY, '"address";r=99;t=3600', undefined]);
  expect(limitIn(await post('/v1/register', BOB))).toEqual([409, POLICY, '"address";r=98;t=3600', undefined]);
  const { access_token } = await logIn(harness);
  const change = async (current_password: string) =>
    harness.app.inject({
      method: 'PUT',
      url: '/v1/me/password',
      remoteAddress: '192.0.2.1',
      headers: bearer(access_token),
      body: { current_password, new_password: 'seven quiet owls over Porto' },
    });
  expect(limitIn(await change(WRONG))).toEqual([403, POLICY, '"address";r=97;t=3600', undefined]);
  expect(limitIn(await change(ADA.password))).toEqual([200, POLICY, '"address";r=97;t=3600', undefined]);
});

test('a refusal for the address says when the next attempt is admitted, as Retry-After does', async () => {
  await createLimitedApp();
  vi.spyOn(harness.hasher, 'verify').mockResolvedValue(false);
  const answers: Answer[] = [];
  for (let index = 0; index < 102; index++) {
    answers.push(await post('/v1/login', { email: `user${index}@example.com`, password: WRONG }));
  }
  expect(answers.slice(99).map(limitIn)).toEqual([
    [401, POLICY, '"address";r=0;t=3600', undefined],
    [401, POLICY, '"address";r=0;t=1', undefined],
    [429, POLICY, '"address";r=0;t=1', '1'],
  ]);
});

test('a refusal for the account tells nothing of the account but how long to wait', async () => {
  await createLimitedApp();
  vi.spyOn(harness.hasher, 'verify').mockResolvedValue(false);
  const refusals: unknown[] = [];
  for (const [index, email] of [ADA.email, 'nobody@example.com'].entries()) {
    const address = `192.0.2.${index}`;
    for (let guess = 0; guess < 11; guess++) await post('/v1/login', { email, password: WRONG }, address);
    refusals.push(limitIn(await post('/v1/login', { email, password: WRONG }, address)));
  }
  expect(refusals).toEqual(Array(2).fill([429, POLICY, '"address";r=89', '1']));
});

test('what is left is the same whatever failed', async () => {
  await createLimitedApp();
  const banned = await addUser(harness, BOB);
  await harness.directory.updateAndVoidTokens(banned.id, { status: 'disabled' });
  await harness.directory.add({ email: 'sso@example.com', passwordHash: null, roles: [] });
  const emails = [ADA.email, 'nobody@example.com', BOB.email, 'sso@example.com'];
  const answers: Record<string, unknown>[] = [];
  for (const [index, email] of emails.entries()) {
    const password = email === BOB.email ? BOB.password : WRONG;
    const { statusCode, headers, body } = await post('/v1/login', { email, password }, `192.0.2.${index}`);
    answers.push({
      statusCode,
      headers: { ...headers, date: '', 'x-request-id': '' },
      names: Object.keys(headers),
      body,
    });
  }
  expect(answers).toEqual(emails.map(() => answers[0]));
  expect(answers[0]?.headers).toMatchObject({ ratelimit: '"address";r=99;t=3600' });
});

test('a request that is refused before it is an attempt says nothing, and neither does one without limits', async () => {
  await createLimitedApp();
  expect(limitIn(await post('/v1/login', { email: ADA.email }))).toEqual([
    400,
    undefined,
    undefined,
    undefined,
  ]);
  expect(limitIn(await post('/v1/refresh', {}))).toEqual([401, undefined, undefined, undefined]);
  await createLimitedApp({ RATE_LIMITS: 'off' });
  expect(limitIn(await post('/v1/login', ADA))).toEqual([200, undefined, undefined, undefined]);
});

test('a page of another origin may read it', async () => {
  await createLimitedApp({ ALLOWED_ORIGINS: 'https://app.example.com' });
  const { headers } = await post('/v1/login', ADA, '192.0.2.1', 'https://app.example.com');
  expect(String(headers['access-control-expose-headers']).split(', ')).toEqual(
    expect.arrayContaining(['Retry-After', 'RateLimit', 'RateLimit-Policy']),
  );
});
