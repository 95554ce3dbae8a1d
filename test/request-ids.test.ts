import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRequestIds } from '../src/http/request-ids.ts';
import { ADA, addUser, bearer, createTestApp, logIn, type TestApp } from './support/app.ts';

const GENERATED = /^[A-Za-f][\w-]{15}$/;

let idcard: TestApp;
beforeAll(async () => {
  idcard = await createTestApp({
    env: { LOG_LEVEL: 'debug', ALLOWED_ORIGINS: 'https://app.example.com', TRUSTED_PROXIES: '10.0.0.0/8' },
    directory: (directory) => ({
      ...directory,
      findByEmail: async (email) => {
        if (email === 'fail@example.com') throw new Error('a late failure');
        return directory.findByEmail(email);
      },
    }),
  });
  await addUser(idcard);
  await idcard.app.listen({ port: 0, host: '127.0.0.1' });
});
afterAll(() => idcard.close());

/** Lines of the log that have this id. */
function linesOf(id: unknown) {
  return idcard.log().filter(({ request_id }) => request_id === id);
}

describe('every answer has an id, and so has every line of its request', () => {
  const json = { 'content-type': 'application/json' };
  test.each<[number, string, object]>([
    [200, '/livez', {}],
    [200, '/docs', {}],
    [200, '/.well-known/jwks.json', {}],
    [304, '/.well-known/revocations', { headers: { 'if-none-match': '*' } }],
    [200, '/livez', { method: 'HEAD' }],
    [204, '/v1/logout', { method: 'POST' }],
    [
      204,
      '/v1/login',
      {
        method: 'OPTIONS',
        headers: { origin: 'https://app.example.com', 'access-control-request-method': 'POST' },
      },
    ],
    [400, '/v1/login', { method: 'POST', headers: json, payload: '{' }],
    [401, '/v1/me', {}],
    [401, '/v1/verify', { headers: bearer('x') }],
    [404, '/nothing', {}],
    [405, '/v1/login', {}],
    [413, '/v1/login', { method: 'POST', headers: json, payload: `"${'a'.repeat(20_000)}"` }],
    [415, '/v1/login', { method: 'POST', headers: { 'content-type': 'text/plain' }, payload: 'x' }],
    [500, '/v1/login', { method: 'POST', payload: { ...ADA, email: 'fail@example.com' } }],
  ])('%i of %s', async (status, url, request) => {
    const { statusCode, headers } = await idcard.app.inject({ url, ...request });
    expect(statusCode).toBe(status);
    expect(headers['x-request-id']).toMatch(GENERATED);
    expect(linesOf(headers['x-request-id'])).toContainEqual(
      expect.objectContaining({ event: 'request.answered', path: url, status }),
    );
  });

  test.each([
    ['400 of an unknown method', 'FOO / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['400 of an address that is none', 'GET /v1/%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 400],
    ['400 of a request without a Host', 'GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ['431 of long headers', `GET /livez HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(17_000)}\r\n\r\n`, 431],
    [
      '200 of an expectation that nobody knows',
      'GET /livez HTTP/1.1\r\nHost: a\r\nExpect: x\r\nConnection: close\r\n\r\n',
      200,
    ],
  ])('%s', async (_, request, status) => {
    const socket = connect((idcard.app.server.address() as AddressInfo).port, '127.0.0.1');
    socket.write(request);
    const [head = ''] = (await text(socket)).split('\r\n\r\n');
    expect(head).toMatch(`HTTP/1.1 ${status} `);
    const [, id] = /^x-request-id: (.+)$/m.exec(head) ?? [];
    expect(id).toMatch(GENERATED);
    expect(linesOf(id)).toContainEqual(expect.objectContaining({ status, address: '127.0.0.1' }));
  });

  test('an event and the line of its request share it', async () => {
    const { headers } = await idcard.post('/v1/login?password=x', ADA);
    expect(linesOf(headers['x-request-id'])).toMatchObject([
      { event: 'login.succeeded' },
      {
        event: 'request.answered',
        method: 'POST',
        path: '/v1/login',
        status: 200,
        ms: expect.any(Number),
        address: '127.0.0.1',
      },
    ]);
  });

  test('the line names who was logged in', async () => {
    const { access_token } = await logIn(idcard);
    const { headers } = await idcard.get('/v1/verify', bearer(access_token));
    const { id } = (await idcard.directory.findByEmail(ADA.email)) ?? {};
    expect(linesOf(headers['x-request-id'])).toMatchObject([{ event: 'request.answered', sub: id }]);
  });

  test('the line has no password of an address', async () => {
    const socket = connect((idcard.app.server.address() as AddressInfo).port, '127.0.0.1');
    socket.write('GET http://ada:secret@a/livez?secret HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const [, id] = /^x-request-id: (.+)$/m.exec(await text(socket)) ?? [];
    expect(linesOf(id)).toMatchObject([{ event: 'request.answered', path: 'http://a/livez' }]);
    expect(idcard.logText()).not.toContain('secret');
  });

  test('a path that would steer a terminal is written out, and cut', async () => {
    const url = `/\u009b2J${'a'.repeat(500)}`;
    const { headers } = await idcard.get(url);
    const [line] = linesOf(headers['x-request-id']);
    expect(idcard.logText()).not.toMatch(/[^\P{Cc}\n]/u);
    expect(String(line?.path).length).toBeLessThan(300);
  });
});

describe('the id of the incoming request', () => {
  const send = (id: string | string[], remoteAddress: string) =>
    idcard.app.inject({ url: '/livez', headers: { 'x-request-id': id as string }, remoteAddress });

  test.each(['a', 'A-b_c.9', '0'.repeat(128), '4bf92f3577b34da6a3ce929d0e0e4736'])(
    '%s is taken over from a trusted proxy, and from nobody else',
    async (id) => {
      expect((await send(id, '10.1.2.3')).headers['x-request-id']).toBe(id);
      expect((await send(id, '203.0.113.9')).headers['x-request-id']).toMatch(GENERATED);
    },
  );

  test.each(['', ' ', 'a b', 'a,b', 'ä', '0'.repeat(129), '"}', '%0a', 'a;b', 'a:b'])(
    '%j is not, from whomever',
    async (id) => {
      expect((await send(id, '10.1.2.3')).headers['x-request-id']).toMatch(GENERATED);
    },
  );

  test('sent twice it is none', async () => {
    expect((await send(['a', 'b'], '10.1.2.3')).headers['x-request-id']).toMatch(GENERATED);
  });

  test('is nobody’s where no proxy is trusted', async () => {
    const alone = await createTestApp();
    const { headers } = await alone.get('/livez', { 'x-request-id': 'mine' });
    expect(headers['x-request-id']).toMatch(GENERATED);
    await alone.close();
  });
});

test('pages of other origins may read it', async () => {
  const { headers } = await idcard.get('/livez', { origin: 'https://app.example.com' });
  expect(headers['access-control-expose-headers']).toContain('X-Request-Id');
});

test('ids of two processes are different ones, thousands of them', () => {
  const [one, other] = [createRequestIds(), createRequestIds()];
  const ids = new Set(Array.from({ length: 2000 }, () => [one.next(), other.next()]).flat());
  expect(ids.size).toBe(4000);
  for (const id of ids) expect(id).toMatch(GENERATED);
});

test('at the level info there is no line of a request', async () => {
  const quiet = await createTestApp({ env: { LOG_LEVEL: 'info' } });
  await quiet.get('/v1/me');
  expect(quiet.log()).toEqual([]);
  await quiet.close();
});
