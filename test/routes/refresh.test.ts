import { bearer, changePassword, decode, START, type TestApp, type TokenBody } from '../support/app.ts';
import { describe, expect, test } from '../support/idcard.ts';

const DAY = 86_400;
const refresh = ({ post }: TestApp, refresh_token: string) => post('/v1/refresh', { refresh_token });

test('a refresh answers like a login, with claims that name the same login', async ({
  idcard,
  ada,
  tokens,
}) => {
  idcard.time.now += 100;
  const response = await refresh(idcard, tokens.refresh_token);
  expect(response.statusCode).toBe(200);
  expect(response.headers['cache-control']).toBe('no-store');
  const renewed = response.json<TokenBody>();
  expect(renewed).toMatchObject({
    token_type: 'Bearer',
    expires_in: 300,
    refresh_expires_in: 7 * DAY,
    scope: 'account',
  });

  const [before, after] = [decode(tokens.refresh_token), decode(renewed.refresh_token)];
  expect(after).toMatchObject({
    sid: before.sid,
    auth_time: START,
    iat: START + 100,
    exp: START + 100 + 7 * DAY,
  });
  expect(after.jti).not.toBe(before.jti);
  expect(decode(renewed.access_token)).toMatchObject({ sub: ada.id, auth_time: START, iat: START + 100 });
});

test('a refresh token works in its last second unused, and not at the second of its exp', async ({
  idcard,
  tokens,
}) => {
  idcard.time.now = START + 7 * DAY - 1;
  expect((await refresh(idcard, tokens.refresh_token)).statusCode).toBe(200);
  idcard.time.now = START + 7 * DAY;
  expect((await refresh(idcard, tokens.refresh_token)).statusCode).toBe(401);
});

test('no number of refreshes makes a login older than 30 days', async ({ idcard, tokens }) => {
  let { refresh_token } = tokens;
  for (let day = 1; day < 30; day++) {
    idcard.time.now = START + day * DAY;
    ({ refresh_token } = (await refresh(idcard, refresh_token)).json());
  }
  expect(decode(refresh_token).exp).toBe(START + 30 * DAY);
  idcard.time.now = START + 30 * DAY - 1;
  const last = (await refresh(idcard, refresh_token)).json<TokenBody>();
  expect(last).toMatchObject({ expires_in: 1, refresh_expires_in: 1 });
  idcard.time.now = START + 30 * DAY;
  expect((await refresh(idcard, last.refresh_token)).statusCode).toBe(401);
});

test('100 refreshes of one token at once all succeed', async ({ idcard, tokens }) => {
  const answers = await Promise.all(Array.from({ length: 100 }, () => refresh(idcard, tokens.refresh_token)));
  expect(answers.filter(({ statusCode }) => statusCode === 200)).toHaveLength(100);
});

test('roles come from the user as they are now', async ({ idcard, ada, tokens }) => {
  await idcard.directory.update(ada.id, { roles: ['admin'] });
  const { access_token } = (await refresh(idcard, tokens.refresh_token)).json<TokenBody>();
  expect(decode(access_token).roles).toEqual(['admin']);
});

describe('a refresh token is void at once', () => {
  const countermeasures: Record<
    string,
    (idcard: TestApp, tokens: TokenBody, userId: string) => Promise<unknown>
  > = {
    'after logging out everywhere': ({ post }, { access_token }) =>
      post('/v1/logout-everywhere', undefined, bearer(access_token)),
    'after a password change': (idcard, { access_token }) => changePassword(idcard, access_token),
    'when the user is disabled': ({ directory }, _tokens, userId) =>
      directory.updateAndVoidTokens(userId, { status: 'disabled' }),
  };
  test.for(Object.entries(countermeasures))('%s', async ([, act], { idcard, ada, tokens }) => {
    await act(idcard, tokens, ada.id);
    const detail = 'The token has been revoked; log in again.';
    expect(await refresh(idcard, tokens.refresh_token)).toBeProblem('invalid-token', { detail });
  });

  test('and stays void when the user is enabled again', async ({ idcard, ada, tokens }) => {
    await idcard.directory.updateAndVoidTokens(ada.id, { status: 'disabled' });
    await idcard.directory.update(ada.id, { status: 'active' });
    expect((await refresh(idcard, tokens.refresh_token)).statusCode).toBe(401);
  });
});

test('the status of the user counts even when the token version does not', async ({
  idcard,
  ada,
  tokens,
}) => {
  await idcard.directory.update(ada.id, { status: 'disabled' });
  expect((await refresh(idcard, tokens.refresh_token)).statusCode).toBe(401);
});

describe('the tokens leave by the way the old one came', () => {
  test('a refresh cookie is answered with cookies and no body', async ({ idcard, cookie }) => {
    const response = await idcard.post('/v1/refresh', undefined, { cookie });
    expect(response.statusCode).toBe(204);
    expect(response.body).toBe('');
    expect(response.cookies.map(({ name }) => name)).toEqual(['access', 'refresh']);
  });

  test('without a refresh token the answer says what to send', async ({ idcard }) => {
    const response = await idcard.post('/v1/refresh');
    expect(response).toBeProblem('refresh-token-required');
    expect(response.headers['www-authenticate']).toBe(
      'Bearer realm="idcard", DPoP realm="idcard", algs="ES256 EdDSA"',
    );
  });

  test('a cookie and a body, or a cookie and a header, are refused', async ({ idcard, tokens, cookie }) => {
    const attempts = [
      { headers: { cookie }, body: { refresh_token: tokens.refresh_token } },
      { headers: { cookie, authorization: 'Bearer a.b.c' } },
    ];
    for (const attempt of attempts) {
      const response = await idcard.app.inject({ method: 'POST', url: '/v1/refresh', ...attempt });
      expect(response).toBeProblem('several-credentials');
    }
  });

  test('an access token beside the body is not in the way, since clients attach it to every request', async ({
    idcard,
    tokens,
  }) => {
    const response = await idcard.post(
      '/v1/refresh',
      { refresh_token: tokens.refresh_token },
      bearer(tokens.access_token),
    );
    expect(response.statusCode).toBe(200);
  });
});
