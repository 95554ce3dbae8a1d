import {
  ADA,
  addUser,
  bearer,
  changePassword,
  decode,
  logIn,
  logInWithCookies,
  type TestApp,
} from './support/app.ts';
import { describe, expect, startIdcard, test } from './support/idcard.ts';

const ON = { EMAIL_CLAIM: 'on' };

async function start(
  env: Record<string, string>,
  { email = ADA.email, verified = true, roles = [] as string[] } = {},
) {
  const idcard = await startIdcard({ env });
  const { id } = await addUser(idcard, { ...ADA, email, roles });
  if (verified) await idcard.directory.update(id, { emailVerified: true });
  return { idcard, id };
}

const verify = ({ get }: TestApp, token: string) => get('/v1/verify', bearer(token));
const refresh = ({ post }: TestApp, refresh_token: string) => post('/v1/refresh', { refresh_token });

test('a verified address is a claim of the access token, not of the refresh token, and a header of verify', async () => {
  const { idcard } = await start(ON);
  const { access_token, refresh_token } = await logIn(idcard);
  expect(decode(access_token).email).toBe(ADA.email);
  expect(decode(refresh_token)).not.toHaveProperty('email');
  for (const _seenBefore of [false, true]) {
    const answer = await verify(idcard, access_token);
    expect(answer.headers['x-auth-email']).toBe(ADA.email);
    expect(answer.json().email).toBe(ADA.email);
  }
});

test('an address that nobody verified is in no token, and the header is empty, so that it replaces a forged one', async () => {
  const { idcard } = await start(ON, { verified: false });
  const { access_token } = await logIn(idcard);
  expect(decode(access_token)).not.toHaveProperty('email');
  const headers = { ...bearer(access_token), 'x-auth-email': 'root@example.com' };
  const answer = await idcard.get('/v1/verify', headers);
  expect([answer.statusCode, answer.headers['x-auth-email']]).toEqual([200, '']);
});

test.each([{}, { EMAIL_CLAIM: 'off' }])(
  'with %o there is neither, even for a token that has it',
  async (env) => {
    const { idcard } = await start(env);
    const { access_token } = await logIn(idcard);
    expect(decode(access_token)).not.toHaveProperty('email');
    expect((await verify(idcard, access_token)).headers).not.toHaveProperty('x-auth-email');

    const other = await startIdcard({ env: ON, jwks: idcard.jwks });
    const { id } = await addUser(other);
    await other.directory.update(id, { emailVerified: true });
    const restarted = await startIdcard({ env, jwks: idcard.jwks });
    const answer = await verify(restarted, (await logIn(other)).access_token);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers).not.toHaveProperty('x-auth-email');
  },
);

test('a directory that says something else than true has verified nothing', async () => {
  const idcard = await startIdcard({
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
  const { idcard, id } = await start(ON, { verified: false });
  const { access_token, refresh_token } = await logIn(idcard);
  await idcard.directory.update(id, { emailVerified: true });
  expect(decode((await refresh(idcard, refresh_token)).json().access_token).email).toBe(ADA.email);
  const changed = await changePassword(idcard, access_token);
  expect(decode(changed.json().access_token).email).toBe(ADA.email);
  await idcard.directory.update(id, { emailVerified: false });
  const again = await refresh(idcard, changed.json().refresh_token);
  expect(decode(again.json().access_token)).not.toHaveProperty('email');
});

describe('in the header', () => {
  test.each([
    ["o'neil&co=x@example.com", "o'neil&co=x@example.com"],
    ['50%@example.com', '50%25@example.com'],
    ['ада@приклад.укр', '%D0%B0%D0%B4%D0%B0@%D0%BF%D1%80%D0%B8%D0%BA%D0%BB%D0%B0%D0%B4.%D1%83%D0%BA%D1%80'],
    ['josé@example.com', 'jos%C3%A9@example.com'],
  ])('%s is %s', async (email, header) => {
    const { idcard } = await start(ON, { email });
    const { access_token } = await logIn(idcard, { ...ADA, email });
    const answer = await verify(idcard, access_token);
    expect(answer.headers['x-auth-email']).toBe(header);
    expect(decodeURIComponent(header)).toBe(answer.json().email);
  });
});

test('the longest address and the longest roles fit into a cookie', async () => {
  const email = `${'я'.repeat(64)}@${'ї'.repeat(60)}.${'ї'.repeat(60)}.${'ї'.repeat(60)}.museum`;
  expect(email).toHaveLength(254);
  const roles = Array.from({ length: 16 }, (_, index) => `${'r'.repeat(30)}${10 + index}`);
  const { idcard } = await start(ON, { email, roles });
  const cookie = await logInWithCookies(idcard, { ...ADA, email });
  for (const each of cookie.split('; ')) expect(each.length).toBeLessThan(4096);
  const answer = await idcard.get('/v1/verify', { cookie });
  expect([answer.statusCode, answer.json().email]).toEqual([200, email]);
});
