import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nearest } from '../../src/http/nearest.ts';
import { rootRoute } from '../../src/routes/operations/root.ts';
import {
  ADA,
  addUser,
  bearer,
  createTestApp,
  logIn,
  logInWithCookies,
  type TestApp,
} from '../support/app.ts';

/* What somebody reads who has never seen idcard: what is wrong, where, and what to do. */

let idcard: TestApp;
let cookies: string;
let authorization: string;
beforeAll(async () => {
  idcard = await createTestApp({ env: { RATE_LIMITS: 'off' } });
  await addUser(idcard);
  cookies = (await logInWithCookies(idcard)).split('; ')[0] ?? '';
  authorization = bearer((await logIn(idcard)).access_token).authorization;
});
afterAll(() => idcard.close());

type Entry = [pointer: string, code: string, detail: string];

async function send(
  method: 'GET' | 'POST' | 'PUT',
  url: string,
  body?: unknown,
  headers: Record<string, string> = {},
) {
  const json = body === undefined ? {} : { 'content-type': 'application/json' };
  const payload = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await idcard.app.inject({
    method,
    url,
    headers: { ...json, ...headers },
    ...(body !== undefined && { payload }),
  });
  const problem = response.json();
  const errors: Entry[] | undefined = problem.errors?.map(
    ({ pointer, code, detail }: Record<string, string>) => [pointer, code, detail],
  );
  return { response, problem, errors };
}

const EMAIL: Entry = ['#/email', 'invalid', 'Must be an email address.'];
const SHORT = 'Must have at least 15 characters.';
const EASY = 'Must be harder to guess: common words, repeats and runs like 123 or qwerty count for little.';
const HOSTILE = `<img src=x onerror=alert(1)>"\\`;

describe('all that is wrong in a form is told at once', () => {
  test.each<[what: string, url: string, body: unknown, errors: Entry[]]>([
    [
      'no email, a short password',
      '/v1/register',
      { email: 'ada', password: 'otters' },
      [EMAIL, ['#/password', 'too-short', SHORT]],
    ],
    [
      'no email, an easy password',
      '/v1/register',
      { email: 'ada', password: 'password1password1' },
      [EMAIL, ['#/password', 'too-easy', EASY]],
    ],
    [
      'the email missing, the password short, a field misspelt',
      '/v1/register',
      { emial: ADA.email, password: 'otters' },
      [
        ['#/email', 'missing', 'Is missing.'],
        ['#/emial', 'unknown-field', 'There is no such field; did you mean "email"?'],
        ['#/password', 'too-short', SHORT],
      ],
    ],
    [
      'no email, and no password at all',
      '/v1/register',
      { email: 'ada', password: '' },
      [EMAIL, ['#/password', 'too-short', 'Must not be empty.']],
    ],
    [
      'no email, and a password that would do',
      '/v1/register',
      { email: 'ada', password: 'seven quiet owls over Porto' },
      [EMAIL],
    ],
    [
      'an email of a wrong type',
      '/v1/register',
      { email: ['x'], password: 'otters' },
      [
        ['#/email', 'wrong-type', 'Must be a string, is a list.'],
        ['#/password', 'too-short', SHORT],
      ],
    ],
    [
      'a login with both wrong',
      '/v1/login',
      { email: 'ada', password: '' },
      [EMAIL, ['#/password', 'too-short', 'Must not be empty.']],
    ],
    [
      'a login with everything of a wrong type',
      '/v1/login',
      { email: null, password: 7, transport: 'cookies', device_token: {}, remember: true },
      [
        ['#/email', 'wrong-type', 'Must be a string, is null.'],
        ['#/password', 'wrong-type', 'Must be a string, is a number.'],
        ['#/transport', 'not-one-of', 'Must be "bearer" or "cookie".'],
        ['#/device_token', 'wrong-type', 'Must be a string, is a JSON object.'],
        [
          '#/remember',
          'unknown-field',
          'There is no such field; known are: email, password, transport, device_token.',
        ],
      ],
    ],
    ['a list', '/v1/login', [ADA], [['#', 'wrong-type', 'Must be a JSON object, is a list.']]],
    ['a truth', '/v1/login', true, [['#', 'wrong-type', 'Must be a JSON object, is true or false.']]],
    [
      'a refresh',
      '/v1/refresh',
      { refresh_token: 1, token: 2 },
      [
        ['#/refresh_token', 'wrong-type', 'Must be a string, is a number.'],
        ['#/token', 'unknown-field', 'There is no such field; known are: refresh_token.'],
      ],
    ],
    [
      'an email that is too long says nothing else of it',
      '/v1/login',
      { email: 'x'.repeat(300), password: 'x'.repeat(300) },
      [
        ['#/email', 'too-long', 'Must have 254 characters at most.'],
        ['#/password', 'too-long', 'Must have 256 bytes at most in UTF-8.'],
      ],
    ],
  ])('%s', async (_, url, body, expected) => {
    const { problem, errors } = await send('POST', url, body);
    expect([problem.type, problem.status]).toEqual(['urn:idcard:problem:invalid-request', 400]);
    expect(problem.detail).toBe('Something in the JSON body is wrong; errors says what.');
    expect(errors).toEqual(expected);
  });

  test.each<[current: string | undefined, next: string, errors: Entry[]]>([
    [
      '',
      'otters',
      [
        ['#/current_password', 'too-short', 'Must not be empty.'],
        ['#/new_password', 'too-short', SHORT],
      ],
    ],
    [
      undefined,
      'password1password1',
      [
        ['#/current_password', 'missing', 'Is missing.'],
        ['#/new_password', 'too-easy', EASY],
      ],
    ],
    [
      '',
      '',
      [
        ['#/current_password', 'too-short', 'Must not be empty.'],
        ['#/new_password', 'too-short', 'Must not be empty.'],
      ],
    ],
  ])('a change from the password "%s" to "%s"', async (current_password, new_password, expected) => {
    const body = { current_password, new_password };
    const { problem, errors } = await send('PUT', '/v1/me/password', body, { authorization });
    expect([problem.type, errors]).toEqual(['urn:idcard:problem:invalid-request', expected]);
  });

  const NEXT = 'seven quiet owls over Porto';
  const LIST: Entry = ['#/current_password', 'wrong-type', 'Must be a string, is a list.'];
  const UNKNOWN: Entry = [
    '#/hint',
    'unknown-field',
    'There is no such field; known are: current_password, new_password.',
  ];
  const SAME: Entry = ['#/new_password', 'same-as-current', 'Must differ from the current password.'];

  test.each<[what: string, body: unknown, errors: Entry[]]>([
    ['a list that has the new one', { current_password: [NEXT], new_password: NEXT }, [LIST]],
    [
      'one that begins with the new one',
      { current_password: 'owls', new_password: 'o', hint: 1 },
      [UNKNOWN, ['#/new_password', 'too-short', SHORT]],
    ],
    [
      'the new one, in a form with another fault',
      { current_password: NEXT, new_password: NEXT.replaceAll(' ', '\u00a0'), hint: 1 },
      [UNKNOWN, SAME],
    ],
  ])('a change from %s', async (_, body, expected) => {
    const { errors } = await send('PUT', '/v1/me/password', body, { authorization });
    expect(errors).toEqual(expected);
  });

  test('of ten thousand unknown fields, a few are', async () => {
    const body = Object.fromEntries(Array.from({ length: 1500 }, (_, index) => [`x${index}`, 1]));
    const { errors, response } = await send('POST', '/v1/login', body);
    expect(errors).toHaveLength(20);
    expect(response.body.length).toBeLessThan(4000);
  });
});

test('a short password is one thing, a password that is easy to guess another', async () => {
  const register = (password: string) => send('POST', '/v1/register', { email: 'x@example.com', password });
  const short = await register('otters');
  const easy = await register('password1password1');
  expect([short.problem.title, short.problem.detail, short.errors]).toEqual([
    'Password refused',
    `The new password is refused. ${SHORT}`,
    [['#/password', 'too-short', SHORT]],
  ]);
  expect([easy.problem.detail, easy.errors]).toEqual([
    `The new password is refused. ${EASY}`,
    [['#/password', 'too-easy', EASY]],
  ]);
});

describe('a query', () => {
  test.each<[query: string, error: Entry]>([
    ['max_age=abc', ['#/max_age', 'invalid', 'Must be a whole number of seconds.']],
    ['max_age=1&max_age=2', ['#/max_age', 'wrong-type', 'Must be a string, is a list.']],
    ['maxage=1', ['#/maxage', 'unknown-field', 'There is no such field; did you mean "max_age"?']],
    ['user=1', ['#/user', 'unknown-field', 'There is no such field; known are: max_age, role, preflight.']],
    ['preflight=yes', ['#/preflight', 'not-one-of', 'Must be "pass".']],
    ['role=', ['#/role', 'invalid', 'Must have 1 to 256 characters.']],
  ])('%s', async (query, expected) => {
    const { problem, errors } = await send('GET', `/v1/verify?${query}`, undefined, { authorization });
    expect(problem.detail).toBe('Something in the query is wrong; errors says what.');
    expect(errors).toEqual([expected]);
  });
});

describe('what is no JSON', () => {
  const NO_BODY = 'The request has no body: send a JSON object with "Content-Type: application/json".';
  const FORM = 'application/x-www-form-urlencoded';
  test.each<
    [what: string, body: string | undefined, type: string | undefined, status: number, detail: string]
  >([
    ['no body', undefined, undefined, 400, NO_BODY],
    ['an empty body', '', undefined, 400, NO_BODY],
    [
      'a word without quotes',
      '{"email": "a",\n "password": secret}',
      undefined,
      400,
      'The body is not JSON: look at line 2, column 14.',
    ],
    [
      'a body that is cut off',
      '{"email":"a"',
      undefined,
      400,
      'The body is not JSON: look at line 1, column 13.',
    ],
    [
      'a forbidden name',
      '{"__proto__":1}',
      undefined,
      400,
      'The body names a field "__proto__" or "constructor", which is refused.',
    ],
    [
      'a form',
      'email=a',
      FORM,
      415,
      `The body is sent as ${FORM}: send JSON, with "Content-Type: application/json".`,
    ],
    [
      'a text',
      '{}',
      'text/plain; charset=utf-8',
      415,
      'The body is sent as text/plain: send JSON, with "Content-Type: application/json".',
    ],
    [
      'no type',
      '{}',
      '',
      415,
      'The body has no Content-Type: send JSON, with "Content-Type: application/json".',
    ],
    [
      'too much',
      `"${'x'.repeat(20_000)}"`,
      undefined,
      413,
      'The request body is larger than 16 KiB, which is the most that is taken.',
    ],
  ])('%s', async (_, body, type, status, detail) => {
    const { problem } = await send(
      'POST',
      '/v1/login',
      body,
      type === undefined ? {} : { 'content-type': type },
    );
    expect([problem.status, problem.detail]).toEqual([status, detail]);
  });
});

describe('an address or a method that there is not', () => {
  const elsewhere = [
    ['with the page at /docs', {}, 'http://localhost:3000/docs'],
    ['without it', { NODE_ENV: 'production', REGISTRATION: 'closed' }, 'http://localhost:3000/openapi.yaml'],
    ['under a path', { PUBLIC_URL: 'https://example.com/auth' }, 'https://example.com/auth/docs'],
  ] as const;
  test.each(elsewhere)('names the documentation, %s', async (_, env, guide) => {
    const other = await createTestApp({ env });
    for (const url of ['/nothing', '/v1', '/v1/users'])
      expect((await other.app.inject(url)).json().detail).toBe(
        `There is nothing at this address; ${guide} shows what there is.`,
      );
    await other.close();
  });

  test.each([
    ['GET', '/v1/login', 'POST', 'This address takes POST, and not GET.'],
    ['DELETE', '/v1/me', 'GET, HEAD', 'This address takes GET, HEAD, and not DELETE.'],
    ['POST', '/v1/me/password', 'PUT', 'This address takes PUT, and not POST.'],
    ['OPTIONS', '/v1/login', 'POST', 'This address takes POST, and not OPTIONS.'],
    ['QUERY', '/v1/me', 'GET, HEAD', 'This address takes GET, HEAD, and not QUERY.'],
  ] as const)('%s %s names the methods', async (method, url, allow, detail) => {
    const response = await idcard.app.inject({ method, url });
    expect([response.statusCode, response.headers.allow, response.json().detail]).toEqual([
      405,
      allow,
      detail,
    ]);
  });

  test.each([{}, { ALLOWED_ORIGINS: 'http://localhost:4000' }])(
    'a preflight of a page that may not call names the setting, with %o',
    async (env: Record<string, string>) => {
      const other = await createTestApp({ env });
      const headers = { origin: 'http://localhost:5173', 'access-control-request-method': 'POST' };
      const response = await other.app.inject({ method: 'OPTIONS', url: '/v1/login', headers });
      expect(response.statusCode).toBe(405);
      expect(response.json().detail).toBe(
        'Pages of the origin "http://localhost:5173" may not call: the operator lists those that may in ALLOWED_ORIGINS.',
      );
      await other.close();
    },
  );
});

describe('a refusal of a page names its origin and the setting', () => {
  test.each([
    [
      'http://localhost:5173',
      'Pages of the origin "http://localhost:5173" may not call with cookies: the operator lists those that may in ALLOWED_ORIGINS (of the verifier: allowedOrigins).',
    ],
    [
      'null',
      'The page has no origin of its own (a file, or a sandboxed frame), so that its cookies must not count: use a bearer token.',
    ],
    [
      'capacitor://localhost',
      'Pages of the origin "capacitor://localhost" have no cookies here: log in with transport "bearer".',
    ],
    [
      undefined,
      'Another site made this request (Sec-Fetch-Site: cross-site), and cookies must not count then: call from a page of this origin, or of one in ALLOWED_ORIGINS.',
    ],
  ])('%s', async (origin, detail) => {
    const headers = { cookie: cookies, 'sec-fetch-site': 'cross-site', ...(origin && { origin }) };
    const { problem } = await send('POST', '/v1/logout-everywhere', undefined, headers);
    expect([problem.status, problem.detail]).toEqual([403, detail]);
  });
});

test('a refusal for want of a proof names the setting', async () => {
  const strict = await createTestApp({ env: { REQUIRE_DPOP: 'true' } });
  await addUser(strict);
  const login = await strict.post('/v1/login', ADA);
  expect(login.json().detail).toBe(
    'REQUIRE_DPOP is on here: send a DPoP proof (RFC 9449) in the header DPoP.',
  );
  await strict.close();
});

test('no text of a client is repeated but names of fields and origins', async () => {
  const long = `${HOSTILE}${'x'.repeat(5000)}`;
  const answers = [
    await send('POST', '/v1/login', { email: HOSTILE, password: HOSTILE, transport: HOSTILE }),
    await send('POST', '/v1/login', `{"email": ${HOSTILE}`),
    await send('GET', `/${encodeURIComponent(HOSTILE)}`),
    await send('GET', `/v1/verify?max_age=${encodeURIComponent(HOSTILE)}`, undefined, { authorization }),
  ];
  for (const { response } of answers) expect(response.body).not.toMatch(/onerror|img/);
  const cut = [
    await send('POST', '/v1/login', { [long]: 1 }),
    await send('POST', '/v1/login', 'x', { 'content-type': long }),
    await send('POST', '/v1/logout-everywhere', undefined, { cookie: cookies, origin: long }),
  ];
  for (const { response } of cut.slice(1)) expect(response.body).not.toMatch(/onerror|img/);
  for (const { response } of cut) {
    expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(response.body.length).toBeLessThan(800);
  }
});

describe('GET / says what this is', () => {
  test.each([
    ['', {}, { docs: 'http://localhost:3000/docs', openapi: 'http://localhost:3000/openapi.yaml' }],
    [
      'where there is no page at /docs',
      { NODE_ENV: 'production', REGISTRATION: 'closed' },
      { openapi: 'http://localhost:3000/openapi.yaml' },
    ],
    [
      'under a path',
      { PUBLIC_URL: 'https://example.com/auth' },
      { docs: 'https://example.com/auth/docs', openapi: 'https://example.com/auth/openapi.yaml' },
    ],
  ])('%s', async (_, env: Record<string, string>, links) => {
    const other = await createTestApp({ env });
    rootRoute(other.app, other.config.server);
    const paths = env.PUBLIC_URL ? ['/', '/auth', '/auth/'] : ['/', '/?from=browser'];
    for (const url of paths) {
      const { statusCode, headers, json } = await other.app.inject(url);
      expect(statusCode).toBe(200);
      expect(json()).toEqual({
        name: 'idcard',
        description: 'A login API. Nothing is shown here: programs call it.',
        ...links,
      });
      expect(headers).toMatchObject({
        'content-type': 'application/json; charset=utf-8',
        'x-robots-tag': 'noindex',
        'cache-control': 'no-store',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      });
    }
    const head = await other.app.inject({ method: 'HEAD', url: '/' });
    expect([head.statusCode, head.body]).toEqual([200, '']);
    expect((await other.post('/')).headers.allow).toBe('GET, HEAD');
    await other.close();
  });
});

describe('the name that was meant', () => {
  const known = ['email', 'password', 'transport', 'device_token', 'max_age'];
  test.each([
    ['emial', 'email'],
    ['Email', 'email'],
    ['e-mail', 'email'],
    ['passwort', 'password'],
    ['deviceToken', 'device_token'],
    ['maxAge', 'max_age'],
    ['passwords', 'password'],
    ['id', undefined],
    ['', undefined],
    ['username', undefined],
    ['x'.repeat(10_000), undefined],
  ])('%.20s is %s', (name, meant) => {
    expect(nearest(name, known)).toBe(meant);
  });
});
