import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADA, addUser, bearer, createTestApp, logIn, type TestApp } from '../support/app.ts';

let idcard: TestApp;
let port: number;

beforeAll(async () => {
  idcard = await createTestApp({ env: { RATE_LIMITS: 'off' } });
  await addUser(idcard);
  port = Number(new URL(await idcard.app.listen({ host: '127.0.0.1', port: 0 })).port);
});
afterAll(() => idcard.close());

function post(url: string, payload: string | Buffer, contentType?: string) {
  const headers = contentType === undefined ? {} : { 'content-type': contentType };
  return idcard.app.inject({ method: 'POST', url, payload, headers });
}
const postJson = (payload: string, url = '/v1/login') => post(url, payload, 'application/json');
const credentials = JSON.stringify(ADA);

function withPasswordBytes(hex: string): Buffer {
  return Buffer.from(credentials.replace(ADA.password, Buffer.from(hex, 'hex').toString('latin1')), 'latin1');
}

describe('bodies are JSON only', () => {
  test.each([
    ['a form', 'application/x-www-form-urlencoded', 'email=ada%40example.com&password=x'],
    ['a multipart form', 'multipart/form-data; boundary=x', '--x\r\n\r\nada\r\n--x--'],
    ['JSON called text, as a form of another site can post it', 'text/plain', credentials],
    ['JSON of no type', undefined, credentials],
    ['a type that only starts like JSON', 'application/json5', credentials],
    ['two types', 'application/json, text/plain', credentials],
    ['another kind of JSON', 'application/merge-patch+json', credentials],
    ['XML', 'application/xml', '<email/>'],
  ])('%s is 415', async (_, contentType, payload) => {
    const response = await post('/v1/login', payload, contentType);
    expect(response.statusCode).toBe(415);
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(response.json().type).toBe('urn:idcard:problem:unsupported-media-type');
  });

  test.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON'])(
    '%s is accepted',
    async (contentType) => {
      expect((await post('/v1/login', credentials, contentType)).statusCode).toBe(200);
    },
  );

  test.each(['/v1/logout', '/v1/refresh'])('%s without need of a body refuses a form', async (url) => {
    const response = await post(url, 'refresh_token=x', 'application/x-www-form-urlencoded');
    expect(response.statusCode).toBe(415);
  });
});

describe('a body that is no sound JSON is 400', () => {
  test.each([
    ['cut off', '{"email":"ada@exam'],
    ['empty', ''],
    ['white space', ' \n'],
    ['two values', '{}{}'],
    ['single quotes', "{'email':'a'}"],
    ['a number that JSON has not', '{"email":NaN}'],
    ['no object but null', 'null'],
    ['no object but a list', `[${credentials}]`],
    ['no object but a text', '"ada"'],
    ['8,000 levels of lists', '['.repeat(8000) + ']'.repeat(8000)],
    ['lists that never close', '['.repeat(16_000)],
    ['2,700 levels of objects', `${'{"a":'.repeat(2700)}1${'}'.repeat(2700)}`],
    ['__proto__', '{"email":"ada@example.com","password":"x","__proto__":{"transport":"cookie"}}'],
    ['__proto__ twice', '{"__proto__":1,"__proto__":{}}'],
    ['__proto__ in escapes', '{"\\u005f\\u005fproto\\u005f\\u005f":{}}'],
    ['__proto__ deep inside', '{"email":{"a":[{"__proto__":{}}]}}'],
    ['constructor.prototype', '{"constructor":{"prototype":{"transport":"cookie"}}}'],
    ['constructor alone', '{"email":"ada@example.com","password":"x","constructor":1}'],
    ['names that every object has', '{"toString":1,"hasOwnProperty":1,"email":"a"}'],
    ['a password of bytes that are no UTF-8', withPasswordBytes('ff')],
    ['a password with an encoded surrogate', withPasswordBytes('eda080')],
  ])('%s', async (_, payload) => {
    const response = await post('/v1/login', payload, 'application/json');
    expect(response.statusCode).toBe(400);
    expect(response.json().type).toBe('urn:idcard:problem:invalid-request');
  });

  test('100,000 levels are refused for their size, before they are parsed', async () => {
    expect((await postJson('['.repeat(100_000))).statusCode).toBe(413);
  });
});

describe('a body over 16 KiB is 413', () => {
  const padded = (bytes: number) => credentials + ' '.repeat(bytes - credentials.length);

  test('by one byte', async () => {
    const response = await postJson(padded(16_385));
    expect(response.statusCode).toBe(413);
    expect(response.json().type).toBe('urn:idcard:problem:payload-too-large');
  });

  test('and of exactly 16 KiB it is read', async () => {
    expect((await postJson(padded(16_384))).statusCode).toBe(200);
  });

  test('when it comes in chunks without a length', async () => {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const chunk = `1000\r\n${' '.repeat(0x1000)}\r\n`;
    const head = 'POST /v1/login HTTP/1.1\r\nHost: idcard\r\nContent-Type: application/json\r\n';
    socket.write(`${head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n`);
    for (let sent = 0; sent < 5; sent++) socket.write(chunk); // and never the last one
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('urn:idcard:problem:payload-too-large');
  });
});

describe('an unknown field is named by its JSON pointer', () => {
  test.each([
    ['/v1/register', { ...ADA, roles: ['admin'] }, '#/roles'],
    ['/v1/login', { ...ADA, remember: true }, '#/remember'],
    ['/v1/refresh', { refresh_token: 'x', scope: 'admin' }, '#/scope'],
    ['/v1/login', { ...ADA, 'a/b~c': 1 }, '#/a~1b~0c'],
    ['/v1/login', { ...ADA, 'naïve "x"': 1 }, '#/na%C3%AFve%20%22x%22'],
  ])('POST %s %j', async (url, body, pointer) => {
    const response = await postJson(JSON.stringify(body), url);
    expect(response.statusCode).toBe(400);
    expect(response.json().errors).toMatchObject([
      { pointer, detail: expect.stringMatching(/^There is no such field; /) },
    ]);
  });

  test('PUT /v1/me/password', async () => {
    const response = await idcard.app.inject({
      method: 'PUT',
      url: '/v1/me/password',
      headers: bearer((await logIn(idcard)).access_token),
      body: { current_password: ADA.password, new_password: 'seven quiet owls over Porto', email: 'x' },
    });
    expect(response.statusCode).toBe(400);
    expect(response.json().errors).toMatchObject([
      { pointer: '#/email', detail: expect.stringMatching(/^There is no such field; /) },
    ]);
  });

  test('cut when it is long, and well-formed when it is not', async () => {
    const body = JSON.stringify({ ...ADA, ['x'.repeat(5000)]: 1, '\ud800': 2 });
    const response = await postJson(body);
    expect(response.json().errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
      `#/${'x'.repeat(64)}`,
      '#/%EF%BF%BD',
    ]);
  });

  test('and an unknown query parameter of GET /v1/verify as well', async () => {
    const headers = bearer((await logIn(idcard)).access_token);
    const response = await idcard.app.inject({ url: '/v1/verify?access_token=x', headers });
    expect(response.statusCode).toBe(400);
    expect(response.json().errors).toMatchObject([
      { pointer: '#/access_token', detail: expect.stringMatching(/^There is no such field; /) },
    ]);
  });
});

describe('nothing is converted', () => {
  test.each([
    ['a number', 12345],
    ['true', true],
    ['null', null],
    ['a list of one text', [ADA.password]],
    ['an object', { toString: ADA.password }],
  ])('%s is no password', async (_, password) => {
    const response = await postJson(JSON.stringify({ email: ADA.email, password }));
    expect(response.statusCode).toBe(400);
    const [error, ...others] = response.json().errors;
    expect(others).toEqual([]);
    expect(error.pointer).toBe('#/password');
    expect(error.detail).toMatch(/^Must be a string, is /); // and not that it is missing
  });

  test('a field that is missing is said to be', async () => {
    const response = await postJson(JSON.stringify({ email: ADA.email }));
    expect(response.json().errors).toMatchObject([{ pointer: '#/password', detail: 'Is missing.' }]);
  });
});

test('no answer repeats what was sent', async () => {
  const marker = 'zq7marker';
  const bodies = [
    `{"email":"${marker}"`,
    `{"email":"${marker}","password":"${marker}"}`,
    `{"email":"${marker}@example.com","password":"${marker}"}`,
    `{"email":"${marker}@example.com","password":"${marker}","transport":"${marker}"}`,
    `{"email":["${marker}"],"password":{"${marker}":"${marker}"}}`,
    `{"refresh_token":"${marker}"}`,
    `"${marker}"`,
    `${marker}`,
  ];
  const answers = await Promise.all(
    ['/v1/register', '/v1/login', '/v1/refresh'].flatMap((url) =>
      bodies.flatMap((body) => [postJson(body, url), post(`${url}?${marker}`, body, `text/${marker}`)]),
    ),
  );
  for (const { statusCode, body, headers } of answers) {
    expect(statusCode).toBeGreaterThanOrEqual(400);
    expect(statusCode).toBeLessThan(500);
    expect(JSON.stringify(headers) + body).not.toContain(marker);
  }
});

describe('a client that announces JSON and sends nothing', () => {
  test('sends nothing, where no body is needed', async () => {
    expect((await postJson('', '/v1/logout')).statusCode).toBe(204);
    const refresh = await postJson('', '/v1/refresh');
    expect(refresh.json().type).toBe('urn:idcard:problem:refresh-token-required');
    const everywhere = await idcard.app.inject({
      method: 'POST',
      url: '/v1/logout-everywhere',
      headers: { ...bearer((await logIn(idcard)).access_token), 'content-type': 'application/json' },
    });
    expect(everywhere.statusCode).toBe(204);
  });

  test('is told that a body is required, where one is', async () => {
    const response = await postJson('');
    expect(response.statusCode).toBe(400);
    expect(response.json().errors).toMatchObject([{ pointer: '#', detail: 'Is missing.' }]);
  });
});
