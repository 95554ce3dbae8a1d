import { afterEach, describe, expect, test } from 'vitest';
import {
  ADA,
  addUser,
  bearer,
  createTestApp,
  decode,
  logIn,
  logInWithCookies,
  type TestApp,
} from './support/app.ts';

let idcard: TestApp;
afterEach(() => idcard.close());

const ON = { EMAIL_CLAIM: 'on' };

async function start(
  env: Record<string, string>,
  { email = ADA.email, verified = true, roles = [] as string[] } = {},
) {
  idcard = await createTestApp({ env });
  const { id } = await addUser(idcard, { ...ADA, email, roles });
  if (verified) await idcard.directory.update(id, { emailVerified: true });
  return id;
}

const verify = (token: string) => idcard.app.inject({ url: '/v1/verify', headers: bearer(token) });
const refresh = (refresh_token: string) =>
  idcard.app.inject({ method: 'POST', url: '/v1/refresh', body: { refresh_token } });

test('a verified address is a claim of the access token, not of the refresh token, and a header of verify', async () => {
  await start(ON);
  const { access_token, refresh_token } = await logIn(idcard);
  expect(decode(access_token).email).toBe(ADA.email);
  expect(decode(refresh_token)).not.toHaveProperty('email');
  for (const _seenBefore of [false, true]) {
    const answer = await verify(access_token);
    expect(answer.headers['x-auth-email']).toBe(ADA.email);
    expect(answer.json().email).toBe(ADA.email);
  }
});

test('an address that nobody verified is in no token, and the header is empty, so that it replaces a forged one', async () => {
  await start(ON, { verified: false });
  const { access_token } = await logIn(idcard);
  expect(decode(access_token)).not.toHaveProperty('email');
  const headers = { ...bearer(access_token), 'x-auth-email': 'root@example.com' };
  const answer = await idcard.app.inject({ url: '/v1/verify', headers });
  expect([answer.statusCode, answer.headers['x-auth-email']]).toEqual([200, '']);
});

test.each([{}, { EMAIL_CLAIM: 'off' }])(
  'with %o there is neither, even for a token that has it',
  async (env) => {
    await start(env);
    const { access_token } = await logIn(idcard);
    expect(decode(access_token)).not.toHaveProperty('email');
    expect((await verify(access_token)).headers).not.toHaveProperty('x-auth-email');

    const jwks = idcard.jwks;
    await idcard.close();
    idcard = await createTestApp({ env: ON, jwks });
    const { id } = await addUser(idcard);
    await idcard.directory.update(id, { emailVerified: true });
    const other = (await logIn(idcard)).access_token;
    await idcard.close();
    idcard = await createTestApp({ env, jwks });
    const answer = await verify(other);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers).not.toHaveProperty('x-auth-email');
  },
);

test('a directory that says something else than true has verified nothing', async () => {
  idcard = await createTestApp({
    env: ON,
    directory: (real) => ({
      ...real,
      findByEmail: async (email) => {
        const user = await real.findByEmail(email);
        return user && { ...user, emailVerified: 'false' as never };
      },
    }),
  });
  await addUser(idcard);
  expect(decode((await logIn(idcard)).access_token)).not.toHaveProperty('email');
});

test('each refresh and each change of the password ask again', async () => {
  const id = await start(ON, { verified: false });
  const { access_token, refresh_token } = await logIn(idcard);
  await idcard.directory.update(id, { emailVerified: true });
  expect(decode((await refresh(refresh_token)).json().access_token).email).toBe(ADA.email);
  const changed = await idcard.app.inject({
    method: 'PUT',
    url: '/v1/me/password',
    headers: bearer(access_token),
    body: { current_password: ADA.password, new_password: 'nine lazy clouds over Turin' },
  });
  expect(decode(changed.json().access_token).email).toBe(ADA.email);
  await idcard.directory.update(id, { emailVerified: false });
  const again = await refresh(changed.json().refresh_token);
  expect(decode(again.json().access_token)).not.toHaveProperty('email');
});

describe('in the header', () => {
  test.each([
    ["o'neil&co=x@example.com", "o'neil&co=x@example.com"],
    ['50%@example.com', '50%25@example.com'],
    ['ада@приклад.укр', '%D0%B0%D0%B4%D0%B0@%D0%BF%D1%80%D0%B8%D0%BA%D0%BB%D0%B0%D0%B4.%D1%83%D0%BA%D1%80'],
    ['josé@example.com', 'jos%C3%A9@example.com'],
  ])('%s is %s', async (email, header) => {
    await start(ON, { email });
    const { access_token } = await logIn(idcard, { ...ADA, email });
    const answer = await verify(access_token);
    expect(answer.headers['x-auth-email']).toBe(header);
    expect(decodeURIComponent(header)).toBe(answer.json().email);
  });
});

test('the longest address and the longest roles fit into a cookie', async () => {
  const email = `${'я'.repeat(64)}@${'ї'.repeat(60)}.${'ї'.repeat(60)}.${'ї'.repeat(60)}.museum`;
  expect(email).toHaveLength(254);
  const roles = Array.from({ length: 16 }, (_, index) => `${'r'.repeat(30)}${10 + index}`);
  await start(ON, { email, roles });
  const cookie = await logInWithCookies(idcard, { ...ADA, email });
  for (const each of cookie.split('; ')) expect(each.length).toBeLessThan(4096);
  const answer = await idcard.app.inject({ url: '/v1/verify', headers: { cookie } });
  expect([answer.statusCode, answer.json().email]).toEqual([200, email]);
});
