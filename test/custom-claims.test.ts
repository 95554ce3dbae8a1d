import { StartupError } from '../src/base/startup-error.ts';
import type { ClaimsFunction } from '../src/logins.ts';
import { AccessClaims } from '../src/proofs/tokens/claims.ts';
import {
  ADA,
  addUser,
  bearer,
  changePassword,
  createTestApp,
  decode,
  logIn,
  type TestApp,
} from './support/app.ts';
import { expect, startIdcard, test } from './support/idcard.ts';

async function start(customClaims: ClaimsFunction): Promise<TestApp> {
  const idcard = await startIdcard({ customClaims });
  await addUser(idcard);
  return idcard;
}

test('claims of one’s own stand in the access token and in the answer of verify, and not in the refresh token', async () => {
  const idcard = await start(async ({ email }) => ({ tenant: email.split('@')[1], plan: { seats: 5 } }));
  const { access_token, refresh_token } = await logIn(idcard);
  const own = { tenant: 'example.com', plan: { seats: 5 } };
  expect(decode(access_token)).toMatchObject(own);
  expect(decode(refresh_token)).not.toHaveProperty('tenant');
  for (const _seenBefore of [false, true])
    expect((await idcard.get('/v1/verify', bearer(access_token))).json()).toEqual(decode(access_token));
});

test('they are made anew by each refresh and by a change of the password', async () => {
  let made = 0;
  const idcard = await start(() => ({ made: ++made }));
  made = 0; // the start has asked once
  const { access_token, refresh_token } = await logIn(idcard);
  const refreshed = await idcard.post('/v1/refresh', { refresh_token });
  const changed = await changePassword(idcard, access_token);
  const tokens = [access_token, refreshed.json().access_token, changed.json().access_token];
  expect(tokens.map((token) => decode(token).made)).toEqual([1, 2, 3]);
});

const OWN = [...Object.keys(AccessClaims.shape), 'sid', 'acr', 'login_at'];

test.each(OWN)(
  'the claim %s is idcard’s own: with another the start is refused in one sentence',
  async (name) => {
    for (const answer of [{ [name]: 'mine' }, { tenant: 'a', [name]: undefined }]) {
      const starting = createTestApp({ customClaims: async () => answer });
      await expect(starting).rejects.toThrow(StartupError);
      await expect(starting).rejects.toThrow(
        new RegExp(`^customClaims gives the claim ${name}, [^\\n]+\\.$`),
      );
    }
  },
);

test('the start refuses what would stand in place of all claims', async () => {
  const starting = createTestApp({ customClaims: () => ({ toJSON: () => ({ sub: 'another' }) }) });
  await expect(starting).rejects.toThrow(/^customClaims gives the claim toJSON, /);
});

test('a start that is refused closes the directory', async () => {
  let closed = 0;
  const starting = createTestApp({
    customClaims: () => ({ sub: 'another' }),
    directory(real) {
      return {
        ...real,
        async close() {
          closed++;
          await real.close();
        },
      };
    },
  });
  await expect(starting).rejects.toThrow(StartupError);
  expect(closed).toBe(1);
});

test('the start asks once, for a user who is nobody and whose email is verified', async () => {
  const asked: unknown[] = [];
  await startIdcard({ customClaims: (user) => ({ n: asked.push(user) }) });
  expect(asked).toEqual([
    expect.objectContaining({ email: expect.stringMatching(/\.invalid$/), emailVerified: true, roles: [] }),
  ]);
});

test.each([
  ['throws', () => Promise.reject(new Error('There is no such user.'))],
  [
    'throws at once',
    () => {
      throw new Error('There is no such user.');
    },
  ],
  ['never answers', () => new Promise<never>(() => undefined)],
  ['answers nothing', () => undefined as never],
])('a function that %s for nobody keeps nothing from starting', async (_, answer) => {
  const idcard = await start((user) => (user.email === ADA.email ? { tenant: 'a' } : answer()));
  expect(decode((await logIn(idcard)).access_token)).toMatchObject({ tenant: 'a' });
});

test.each([...OWN, '__proto__', 'toJSON'])(
  'no token is issued with the claim %s, if only a real user has it',
  async (name) => {
    const idcard = await start((user) =>
      user.email === ADA.email ? Object.fromEntries([[name, 'mine']]) : {},
    );
    const answer = await idcard.post('/v1/login', ADA);
    expect([answer.statusCode, answer.body.includes('mine')]).toEqual([500, false]);
    expect(idcard.logText()).toContain(`The claim ${name} cannot be set`);
  },
);
