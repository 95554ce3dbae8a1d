import { unavailable } from '../src/problems/general.ts';
import { addUser, bearer, logInWithCookies, type TestApp } from './support/app.ts';
import { test as base, describe, expect, startIdcard } from './support/idcard.ts';

const EVE = { email: 'eve@example.com', password: 'zq1-first-secret-password' };
const NEW_PASSWORD = 'zq2-second-secret-password';
const WRONG_PASSWORD = 'zq3-wrong-secret-password';
const QUERY = 'zq4-secret-in-a-query';
const ADDRESS = '203.0.113.9';

const test = base.extend('options', {
  env: {
    PUBLIC_URL: 'https://login.example.com',
    LOG_LEVEL: 'trace',
    RATE_LIMITS: 'off',
    TRUSTED_PROXIES: '10.0.0.0/8',
  },
});

interface Sent {
  method?: 'GET' | 'POST' | 'PUT' | 'OPTIONS';
  url: string;
  headers?: Record<string, string>;
  body?: object | string;
}

function send({ app }: TestApp, { method = 'POST', url, headers = {}, body }: Sent) {
  const forwarded = { 'x-forwarded-for': ADDRESS };
  return app.inject({
    method,
    url: `${url}?q=${QUERY}`,
    headers: { ...forwarded, ...headers },
    remoteAddress: '10.0.0.1',
    ...(body !== undefined && { payload: body }),
  });
}

const register = (idcard: TestApp, body: object = EVE) => send(idcard, { url: '/v1/register', body });
const login = (idcard: TestApp, body: object = EVE) => send(idcard, { url: '/v1/login', body });
const logout = (idcard: TestApp, headers: Record<string, string>) =>
  send(idcard, { url: '/v1/logout', headers });
const refresh = (idcard: TestApp, refresh_token: string) =>
  send(idcard, { url: '/v1/refresh', body: { refresh_token } });
const everywhere = (idcard: TestApp, headers: Record<string, string>) =>
  send(idcard, { url: '/v1/logout-everywhere', headers });
const changePassword = (
  idcard: TestApp,
  token: string,
  current_password: string,
  new_password = NEW_PASSWORD,
) =>
  send(idcard, {
    method: 'PUT',
    url: '/v1/me/password',
    headers: bearer(token),
    body: { current_password, new_password },
  });

/** The log lines that are events, without what differs from run to run. */
function events({ log }: TestApp): Record<string, unknown>[] {
  return log()
    .filter(({ event }) => event !== undefined && !String(event).startsWith('request.'))
    .map(({ level: _, time: _time, request_id: _id, ...event }) => event);
}

describe('events', () => {
  test('have a stable name, the subject and the address of the client', async ({ idcard }) => {
    const sub: string = (await register(idcard)).json().id;
    const pair = (await login(idcard)).json();
    await login(idcard, { ...EVE, transport: 'cookie' });
    await login(idcard, { ...EVE, password: WRONG_PASSWORD });
    await refresh(idcard, pair.refresh_token);
    await changePassword(idcard, pair.access_token, WRONG_PASSWORD);
    const changed = (await changePassword(idcard, pair.access_token, EVE.password)).json();
    await logout(idcard, bearer(changed.access_token));
    await logout(idcard, { cookie: `__Host-refresh=${changed.refresh_token}` });
    await everywhere(idcard, bearer(changed.access_token));

    const who = { sub, address: ADDRESS };
    expect(events(idcard)).toEqual([
      { event: 'user.registered', ...who },
      { event: 'login.succeeded', ...who, transport: 'bearer' },
      { event: 'login.succeeded', ...who, transport: 'cookie' },
      { event: 'login.failed', ...who },
      { event: 'token.refreshed', ...who },
      { event: 'password.change-failed', ...who },
      { event: 'password.changed', ...who },
      { event: 'logout', ...who },
      { event: 'logout', ...who },
      { event: 'logout.everywhere', ...who },
    ]);
  });

  test('of a login with an email that is nobody’s do not keep it, since it may be a password', async ({
    idcard,
  }) => {
    await login(idcard, { ...EVE, email: 'zq-secret@example.com' });
    expect(events(idcard)).toEqual([{ event: 'login.failed', address: ADDRESS }]);
    expect(idcard.logText()).not.toContain('zq-secret');
  });

  test('of a login of a disabled user name the user', async ({ idcard }) => {
    const { id } = await addUser(idcard, EVE);
    await idcard.directory.updateAndVoidTokens(id, { status: 'disabled' });
    await login(idcard);
    expect(events(idcard)).toEqual([{ event: 'login.failed', sub: id, address: ADDRESS }]);
  });

  test('of a logout without a token that says who have an address alone', async ({ idcard }) => {
    for (const headers of [{}, { cookie: '__Host-refresh=x' }, bearer('x')]) {
      expect((await logout(idcard, headers)).statusCode).toBe(204);
    }
    expect(events(idcard)).toEqual(Array(3).fill({ event: 'logout', address: ADDRESS }));
  });
});

test('no secret is in any line, whatever every route is asked', async ({ idcard }) => {
  const answers = [
    await register(idcard),
    await register(idcard),
    await register(idcard, { ...EVE, password: 'zq5' }),
  ];
  const pair = (await login(idcard)).json();
  const cookie = await logInWithCookies(idcard, EVE);
  const forged = `${pair.access_token.slice(0, -8)}zq6AAAAA`;
  const cookies = { cookie };
  const crossSite = { ...cookies, 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };
  const credentials: Record<string, string>[] = [
    {},
    bearer(pair.access_token),
    cookies,
    crossSite,
    bearer(forged),
    bearer(pair.refresh_token),
    { authorization: 'Basic zq7secret' },
    { ...bearer(pair.access_token), ...cookies },
    { cookie: `__Host-access=${forged}; __Host-refresh=${forged}` },
  ];
  for (const headers of credentials) {
    answers.push(
      await login(idcard, { ...EVE, password: WRONG_PASSWORD }),
      await send(idcard, { url: '/v1/login', headers, body: { ...EVE, transport: 'cookie' } }),
      await send(idcard, { url: '/v1/login', headers, body: `{"password":"${WRONG_PASSWORD}"` }), // of no type
      await send(idcard, {
        url: '/v1/login',
        headers: { ...headers, 'content-type': 'application/json' },
        body: `{"password":"${WRONG_PASSWORD}"`,
      }),
      await refresh(idcard, pair.refresh_token),
      await refresh(idcard, forged),
      await send(idcard, { url: '/v1/refresh', headers, body: {} }),
      await send(idcard, { method: 'GET', url: '/v1/me', headers }),
      await send(idcard, { method: 'GET', url: '/v1/verify', headers }),
      await send(idcard, { method: 'GET', url: '/v1/nothing', headers }),
      await send(idcard, { method: 'GET', url: '/v1/%zz', headers }),
      await send(idcard, { method: 'GET', url: '/v1/login', headers }),
      await logout(idcard, headers),
      ...(await Promise.all(
        ['/livez', '/readyz', '/.well-known/jwks.json', '/openapi.json'].map((url) =>
          send(idcard, { method: 'GET', url, headers }),
        ),
      )),
    );
  }
  answers.push(await changePassword(idcard, pair.access_token, WRONG_PASSWORD));
  const changed = await changePassword(idcard, pair.access_token, EVE.password);
  answers.push(changed, await everywhere(idcard, bearer(changed.json().access_token)));

  const seen = new Set(answers.map(({ statusCode }) => statusCode));
  expect(seen).toEqual(new Set([200, 201, 204, 400, 401, 403, 404, 405, 409, 415]));
  const secrets = [pair, changed.json()].flatMap(({ access_token, refresh_token }) => [
    access_token,
    refresh_token,
  ]);
  const parts = [...secrets, ...cookie.split(/; |=/)].flatMap((secret: string) => secret.split('.'));
  expect(idcard.log().length).toBeGreaterThan(20);
  for (const secret of [...parts, 'zq', 'Bearer', 'Basic', '__Host-', 'argon2', 'Turin']) {
    expect(withoutIds(idcard.logText())).not.toContain(secret);
  }
});

/** A random id may happen to hold two letters of a secret. */
function withoutIds(logText: string): string {
  return logText.replaceAll(/"request_id":"[\w-]{16}"/g, '');
}

test('what a client sends cannot forge a line', async ({ idcard }) => {
  const forgery = '\n{"level":30,"event":"login.succeeded","sub":"root"}\n\r\u001b[2J';
  const headers = { 'x-forwarded-for': `${ADDRESS}${forgery}`, cookie: forgery, authorization: forgery };
  for (const url of ['/v1/register', '/v1/login', '/v1/refresh', '/v1/logout', '/v1/logout-everywhere']) {
    await send(idcard, { url, headers, body: EVE });
    await send(idcard, { url, headers, body: { email: `eve${forgery}@example.com`, password: forgery } });
    await send(idcard, { url: `${url}/${encodeURIComponent(forgery)}`, headers });
  }
  const lines = idcard.logText().trimEnd().split('\n');
  for (const line of lines) expect(JSON.parse(line)).toHaveProperty('event');
  expect(events(idcard).map(({ event }) => event)).toEqual([
    'user.registered',
    'login.succeeded', // of Eve
    'logout',
    'logout', // which reads no body
  ]);
  expect(idcard.logText()).not.toMatch(/[^\P{Cc}\n]/u); // nor steer a terminal
  expect(idcard.log().filter(({ sub }) => sub === 'root')).toEqual([]);
});

describe('a failure on our side', () => {
  const SQL = 'SELECT * FROM users WHERE email = zq8';

  async function logInWith(cause: unknown) {
    const failing = await startIdcard({
      directory: (directory) => ({ ...directory, findByEmail: () => Promise.reject(cause) }),
    });
    const response = await send(failing, { url: '/v1/login', body: EVE });
    return { response, log: failing.log(), logText: failing.logText() };
  }

  test('is a problem without its cause, which the log has', async () => {
    const { response, log } = await logInWith(new Error(SQL));
    expect(response).toBeProblem('internal-error');
    expect(response.json()).toEqual({
      type: 'urn:idcard:problem:internal-error',
      title: 'Internal error',
      status: 500,
      detail: 'Something went wrong on our side; the log says what.',
    });
    expect(log).toMatchObject([
      {
        level: 50,
        event: 'request.failed',
        problem: 'internal-error',
        err: { message: SQL, stack: expect.stringContaining('logs.test.ts') },
      },
    ]);
  });

  test('that pretends to be a status of its own is 500 all the same', async () => {
    const { response } = await logInWith(Object.assign(new Error(SQL), { statusCode: 200, status: 201 }));
    expect(response).toBeProblem('internal-error');
    expect(response.body).not.toContain('zq8');
  });

  test('that repeats a line break is one line', async () => {
    const { logText } = await logInWith(new Error(`${SQL}\n{"event":"login.succeeded"}`));
    expect(logText.trimEnd().split('\n')).toHaveLength(1);
  });

  test('of the directory is 503 with its cause in the log', async () => {
    const cause = Object.assign(new Error('disk I/O error'), { errcode: 10 });
    const { response, log } = await logInWith(unavailable({ cause, retryAfterSeconds: 2 }));
    expect(response).toBeProblem('unavailable');
    expect(response.headers['retry-after']).toBe('2');
    expect(response.body).not.toContain('disk');
    expect(log).toMatchObject([{ problem: 'unavailable', err: { message: 'disk I/O error' } }]);
  });
});

test('a guess that was slowed down is in the log with its address', async () => {
  const limited = await startIdcard();
  const guess = () =>
    limited.app.inject({
      method: 'POST',
      url: '/v1/login',
      body: { email: 'ada@example.com', password: 'not the password at all' },
      remoteAddress: '192.0.2.7',
    });
  let refused = await guess();
  while (refused.statusCode === 401) refused = await guess();
  expect(refused).toBeProblem('too-many-requests');
  expect(limited.log().at(-1)).toMatchObject({ event: 'attempts.limited', address: '192.0.2.7' });
});
