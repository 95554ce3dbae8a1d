import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADA, addUser, createTestApp, type TestApp } from '../support/app.ts';

const LOGIN = JSON.stringify(ADA);
const LOGIN_HEAD = 'POST /v1/login HTTP/1.1\r\nHost: idcard\r\nContent-Type: application/json\r\n';

let idcard: TestApp;
let port: number;
/** Connections that stall, opened before the other tests so that their time runs out during them. */
let stalled: Record<'in the headers' | 'in the body' | 'before the first byte', Promise<Ending>>;

interface Ending {
  answer: string;
  seconds: number;
}

beforeAll(async () => {
  idcard = await createTestApp({ env: { RATE_LIMITS: 'off' } });
  await addUser(idcard);
  port = Number(new URL(await idcard.app.listen({ host: '127.0.0.1', port: 0 })).port);
  stalled = {
    'in the headers': untilClosed('GET /livez HTTP/1.1\r\nHost: idcard\r\nX-Slow: '),
    'in the body': untilClosed(`${LOGIN_HEAD}Content-Length: 100\r\n\r\n{"email":`),
    'before the first byte': untilClosed(''),
  };
});
afterAll(() => idcard.close());

/** Everything that the server sends until it closes the connection. */
async function untilClosed(sent: string | Buffer): Promise<Ending> {
  const start = performance.now();
  const socket = await open();
  socket.write(sent);
  const answer = await text(socket);
  return { answer, seconds: (performance.now() - start) / 1000 };
}

async function open(): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

/** Sends requests over one connection, then one that ends it; the status of each answer. */
async function statuses(...requests: string[]): Promise<number[]> {
  const last = 'GET /livez HTTP/1.1\r\nHost: idcard\r\nConnection: close\r\n\r\n';
  const { answer } = await untilClosed([...requests, last].join(''));
  return [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

function expectProblem({ answer }: Ending, status: number, slug: string): void {
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(head).toMatch(/^content-type: application\/problem\+json/im);
  expect(head).toMatch(/^connection: close$/im);
  expect(head).toMatch(/^x-content-type-options: nosniff$/im);
  expect(head).toMatch(/^cache-control: no-store$/im);
  expect(JSON.parse(body)).toMatchObject({ type: `urn:idcard:problem:${slug}`, status });
}

describe('headers over 16 KiB are 431', () => {
  test.each([
    ['one long header', `X: ${'a'.repeat(17_000)}\r\n`],
    ['many short headers', 'X: a\r\n'.repeat(4000)],
    ['a long cookie', `Cookie: access=${'a'.repeat(17_000)}\r\n`],
  ])('%s', async (_, headers) => {
    const ending = await untilClosed(`GET /livez HTTP/1.1\r\nHost: idcard\r\n${headers}\r\n`);
    expectProblem(ending, 431, 'headers-too-large');
  });

  test('a URL of 20 kB, since Node counts it with them', async () => {
    const ending = await untilClosed(`GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: idcard\r\n\r\n`);
    expectProblem(ending, 431, 'headers-too-large');
  });

  test('but 15 kB of them are read', async () => {
    const long = 'a'.repeat(15_000);
    expect(await statuses(`GET /livez HTTP/1.1\r\nHost: idcard\r\nX: ${long}\r\n\r\n`)).toEqual([200, 200]);
    expect(await statuses(`GET /${long} HTTP/1.1\r\nHost: idcard\r\n\r\n`)).toEqual([404, 200]);
  });
});

describe('what is no HTTP request is 400 and the end of the connection', () => {
  test.each([
    ['a line without an address', 'HELLO\r\n\r\n'],
    ['an unknown method', 'FOO / HTTP/1.1\r\nHost: idcard\r\n\r\n'],
    ['another protocol version', 'GET / HTTP/3.0\r\nHost: idcard\r\n\r\n'],
    ['HTTP/2 without asking', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a TLS handshake', Buffer.from('1603010200010001fc0303', 'hex')],
    ['a NUL in a header', 'GET /livez HTTP/1.1\r\nHost: idcard\r\nX: a\0b\r\n\r\n'],
    ['raw bytes in the address', Buffer.from('GET /\xff\xfe HTTP/1.1\r\nHost: idcard\r\n\r\n', 'latin1')],
  ])('%s', async (_, sent) => {
    expectProblem(await untilClosed(sent), 400, 'invalid-request');
  });

  test('a request without a Host is 400 as well', async () => {
    expect((await untilClosed('GET /livez HTTP/1.1\r\n\r\n')).answer).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe('a request whose end two parsers may see in two places is refused', () => {
  const smuggled = 'GET /v1/me HTTP/1.1\r\nHost: idcard\r\n\r\n';

  test.each([
    [
      'Content-Length and Transfer-Encoding',
      'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'Transfer-Encoding and Content-Length',
      'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n',
    ],
    ['two Content-Lengths', 'Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}'],
    ['the same Content-Length twice', 'Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}'],
    ['a Content-Length that is a list', 'Content-Length: 2, 2\r\n\r\n{}'],
    ['a negative Content-Length', 'Content-Length: -1\r\n\r\n'],
    ['a space before the colon', 'Content-Length : 2\r\n\r\n{}'],
    ['a header on two lines', 'Content-Length: 2\r\nX: a\r\n b\r\n\r\n{}'],
    ['another Transfer-Encoding', 'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'],
    ['chunked before another coding', 'Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n'],
    ['a chunk of no size', 'Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n'],
  ])('%s', async (_, rest) => {
    const ending = await untilClosed(LOGIN_HEAD + rest + smuggled);
    expectProblem(ending, 400, 'invalid-request');
    expect(ending.answer.match(/HTTP\/1\.1/g)).toHaveLength(1); // and nothing behind it is a request
  });

  test('bare line feeds', async () => {
    expectProblem(await untilClosed('GET /livez HTTP/1.1\nHost: idcard\n\n'), 400, 'invalid-request');
  });

  test('and a body that nobody reads is not taken for a request', async () => {
    const get = `GET /livez HTTP/1.1\r\nHost: idcard\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`;
    expect(await statuses(get)).toEqual([200, 200]);
    const form = LOGIN_HEAD.replace('application/json', 'text/plain');
    expect(await statuses(`${form}Content-Length: ${smuggled.length}\r\n\r\n${smuggled}`)).toEqual([
      415, 200,
    ]);
  });
});

test.each([
  ['Bearer a', 'Bearer b'],
  ['Basic a', 'Bearer b'],
  ['Bearer a', 'Bearer a'],
])('the Authorization headers "%s" and "%s" in one request are 400 invalid_request', async (one, two) => {
  const { answer } = await untilClosed(
    `GET /v1/verify HTTP/1.1\r\nHost: idcard\r\nConnection: close\r\nAuthorization: ${one}\r\nauthorization: ${two}\r\n\r\n`,
  );
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer).toMatch(/^www-authenticate: Bearer realm="idcard", error="invalid_request"/im);
  expect(answer).toContain('urn:idcard:problem:several-credentials');
});

test('a token in a trailer is not read', async () => {
  const { answer } = await untilClosed(
    'POST /v1/logout-everywhere HTTP/1.1\r\nHost: idcard\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n' +
      'Trailer: Authorization\r\n\r\n0\r\nAuthorization: Bearer x\r\n\r\n',
  );
  expect(answer).toContain('urn:idcard:problem:login-required');
});

test('a connection outlives answers of 401, 404, 405 and 415', async () => {
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: idcard\r\n\r\n`;
  const form = `${LOGIN_HEAD.replace('application/json', 'text/plain')}Content-Length: 5\r\n\r\nhello`;
  const login = `${LOGIN_HEAD}Content-Length: ${LOGIN.length}\r\n\r\n${LOGIN}`;
  expect(await statuses(get('/v1/me'), get('/nothing'), get('/v1/login'), form, login)).toEqual([
    401, 404, 405, 415, 200, 200,
  ]);
});

test('every limit of time is set on the server', () => {
  const { server } = idcard.app;
  expect(server.requestTimeout).toBe(15_000);
  expect(server.headersTimeout).toBe(10_000);
  expect(server.timeout).toBe(60_000); // Fastify's connectionTimeout
  expect(server.keepAliveTimeout).toBe(620_000);
});

describe('a request that stalls is closed', () => {
  test.each([
    ['in the headers', 10],
    ['in the body', 15],
    ['before the first byte', 10],
  ] as const)('%s, within 6 seconds after %i', async (where, limit) => {
    const { answer, seconds } = await stalled[where];
    expect(seconds).toBeGreaterThan(limit - 1);
    expect(seconds).toBeLessThan(limit + 6); // Node looks every 5 seconds
    expectProblem({ answer, seconds }, 408, 'request-timeout');
  });
});
