import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, vi } from 'vitest';
import { createHasher } from '../src/factors/passwords/hasher.ts';
import { ADA, addUser, BOB, bearer, logIn, type TestApp } from './support/app.ts';
import { describe, expect, startIdcard, test } from './support/idcard.ts';

const WRONG = 'violet otters play go';
const OVERLOADED = {
  type: 'urn:idcard:problem:overloaded',
  title: 'Overloaded',
  status: 503,
  detail: 'Too many passwords wait to be checked; try again after the seconds in Retry-After.',
};

let harness: TestApp;
afterEach(() => {
  vi.restoreAllMocks();
});

/** An address of its own for each number. */
function stranger(index: number): string {
  return `198.51.${index >> 8}.${index & 255}`;
}

/** Sent at once, also when nobody awaits the answer yet. */
async function login(email = ADA.email, password = ADA.password, remoteAddress = '192.0.2.1') {
  return harness.app.inject({ method: 'POST', url: '/v1/login', remoteAddress, body: { email, password } });
}

async function register(email: string) {
  const body = { email, password: BOB.password };
  return harness.post('/v1/register', body);
}

async function changePassword(accessToken: string) {
  return harness.put(
    '/v1/me/password',
    { current_password: BOB.password, new_password: 'seven quiet owls over Porto' },
    bearer(accessToken),
  );
}

/** From now on a hash of the app lasts until the test lets it go on; how many run, and how many ever did. */
function holdHashes() {
  const { verify, hash } = harness.hasher;
  const gate = Promise.withResolvers<void>();
  const count = { running: 0, most: 0, total: 0 };
  async function held<T>(work: () => Promise<T>): Promise<T> {
    count.total++;
    count.most = Math.max(count.most, ++count.running);
    try {
      await gate.promise;
      return await work();
    } finally {
      count.running--;
    }
  }
  vi.spyOn(harness.hasher, 'verify').mockImplementation((...given) => held(() => verify(...given)));
  vi.spyOn(harness.hasher, 'hash').mockImplementation((...given) => held(() => hash(...given)));
  return { count, letGo: () => gate.resolve() };
}

/** One place and a queue that is full: what fills it, what lets it go on, and a token of Ada's. */
async function createFullApp() {
  const asked: string[] = [];
  harness = await startIdcard({
    env: { PASSWORD_HASHES_AT_ONCE: '1', PASSWORD_QUEUE_SECONDS: '1' },
    directory: (real) => ({
      ...real,
      findByEmail: (email) => {
        asked.push(email);
        return real.findByEmail(email);
      },
      findById: (id) => {
        asked.push(id);
        return real.findById(id);
      },
    }),
  });
  await addUser(harness);
  const { access_token: accessToken } = await logIn(harness);
  const held = holdHashes();
  const filling = Array.from({ length: 40 }, (_, index) =>
    login(`user${index}@example.com`, WRONG, stranger(index)),
  );
  const { statusCode } = await (filling.at(-1) ?? login());
  expect(statusCode).toBe(503);
  asked.length = 0;
  return { ...held, filling, asked, accessToken };
}

describe('a login that would wait for too long', () => {
  test('is 503 at once, with the seconds to wait', async () => {
    const { letGo, count, filling } = await createFullApp();
    const response = await login();
    expect(response).toBeProblem('overloaded');
    expect(response.headers['retry-after']).toBe('1');
    expect(response.json()).toEqual(OVERLOADED);
    expect(count.total).toBe(1);
    letGo();
    const statuses = (await Promise.all(filling)).map(({ statusCode }) => statusCode);
    expect(new Set(statuses)).toEqual(new Set([401, 503]));
  });

  test('is refused before its body is read, and the directory is not asked; a registration and a change too', async () => {
    const { letGo, asked, accessToken } = await createFullApp();
    for (const url of ['/v1/login', '/v1/register']) {
      const headers = { 'content-type': 'application/json' };
      const response = await harness.post(url, '{"email":', headers);
      expect([response.statusCode, response.headers['retry-after']]).toEqual([503, '1']);
      expect(response.json()).toEqual(OVERLOADED);
    }
    expect((await changePassword(accessToken)).statusCode).toBe(503);
    expect(asked).toEqual([]);
    letGo();
  });

  test('is the same for a user and for nobody', async () => {
    const { letGo } = await createFullApp();
    const answers = [];
    for (const email of [ADA.email, 'nobody@example.com']) {
      const { statusCode, headers, body } = await login(email);
      answers.push({ statusCode, body, names: Object.keys(headers), wait: headers['retry-after'] });
    }
    expect(answers[1]).toEqual(answers[0]);
    letGo();
  });

  test('is no guess, so that nobody is slowed down by a flood of others', async () => {
    const { letGo, filling } = await createFullApp();
    for (let index = 0; index < 120; index++) expect((await login()).statusCode).toBe(503);
    letGo();
    await Promise.all(filling);
    for (let index = 0; index < 11; index++) expect((await login(ADA.email, WRONG)).statusCode).toBe(401);
    expect((await login()).statusCode).toBe(429);
  });

  test('is a line in the log that names the address, and no error', async () => {
    const { letGo } = await createFullApp();
    await login(ADA.email, WRONG, '192.0.2.9');
    const lines = harness.log().filter(({ address }) => address === '192.0.2.9');
    expect(lines).toEqual([expect.objectContaining({ level: 40, event: 'attempts.turned-away' })]);
    expect(harness.log().filter(({ level }) => Number(level) >= 50)).toEqual([]);
    letGo();
  });
});

describe('whatever hashes a password', () => {
  test('has its turn, so that there are never more hashes at once', async () => {
    harness = await startIdcard({
      hashesForReal: true,
      env: { PASSWORD_HASHES_AT_ONCE: '2', RATE_LIMITS: 'off' },
    });
    await addUser(harness, BOB);
    const bob = await logIn(harness, BOB);
    const weak = createHasher({ memoryKib: 12_288, timeCost: 2, parallelism: 1 });
    await harness.directory.add({
      email: ADA.email,
      passwordHash: await weak.hash(ADA.password),
      roles: [],
    });

    const { count, letGo } = holdHashes();
    const responses = [
      login(),
      register('eve@example.com'),
      changePassword(bob.access_token),
      login('nobody@example.com'),
    ];
    for (let index = 0; index < 5; index++) responses.push(login(ADA.email, WRONG));
    await vi.waitFor(() => expect(count.running).toBe(2));
    letGo();
    const statuses = (await Promise.all(responses)).map(({ statusCode }) => statusCode);
    expect(statuses).toEqual([200, 201, 200, 401, 401, 401, 401, 401, 401]);
    expect(count.most).toBe(2);
    // Two for the change, two for the login whose hash was made anew.
    expect(count.total).toBe(11);
  });
});

describe('a client that leaves', () => {
  let arrived = 0;

  async function listen(): Promise<{ host: string; port: number }> {
    arrived = 0;
    harness.app.server.on('request', () => arrived++);
    const url = new URL(await harness.app.listen({ host: '127.0.0.1', port: 0 }));
    return { host: url.hostname, port: Number(url.port) };
  }

  async function sendLogin(server: { host: string; port: number }, email = ADA.email, password = WRONG) {
    const body = JSON.stringify({ email, password });
    const socket = connect(server);
    await once(socket, 'connect');
    socket.write(
      `POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    return socket;
  }

  const turnedAway = () => harness.log().filter(({ event }) => event === 'attempts.turned-away').length;

  test('while it waits is never hashed for, and the next one has its turn', async () => {
    harness = await startIdcard({ env: { PASSWORD_HASHES_AT_ONCE: '1', RATE_LIMITS: 'off' } });
    await addUser(harness);
    const { count, letGo } = holdHashes();
    const server = await listen();
    const first = login();
    await vi.waitFor(() => expect(count.running).toBe(1));
    const leaving = await Promise.all(Array.from({ length: 30 }, () => sendLogin(server)));
    const halfClosing = await sendLogin(server);
    await vi.waitFor(() => expect(arrived).toBe(31));
    for (const socket of leaving) socket.destroy();
    halfClosing.end();
    await vi.waitFor(() => expect(turnedAway()).toBe(31));
    const last = login();
    letGo();
    expect((await first).statusCode).toBe(200);
    expect((await last).statusCode).toBe(200);
    expect(count.total).toBe(2);
    expect(harness.log().filter(({ level }) => Number(level) >= 50)).toEqual([]);
  });

  test('while its password is hashed has made its guess: nothing is learned for free', async () => {
    harness = await startIdcard();
    await addUser(harness);
    const server = await listen();
    for (let index = 0; index < 11; index++) {
      const { count, letGo } = holdHashes();
      const socket = await sendLogin(server);
      await vi.waitFor(() => expect(count.running).toBe(1));
      socket.destroy();
      await once(socket, 'close');
      letGo();
      await vi.waitFor(() => expect(count.running).toBe(0));
      vi.restoreAllMocks();
    }
    expect((await login()).statusCode).toBe(429);
  });

  test('while it waits has made no guess, and yet its address is counted, since it held a place', async () => {
    harness = await startIdcard({ env: { PASSWORD_HASHES_AT_ONCE: '1', PASSWORD_QUEUE_SECONDS: '10' } });
    await addUser(harness);
    const { count, letGo } = holdHashes();
    const server = await listen();
    const first = login(BOB.email, WRONG, '192.0.2.9');
    await vi.waitFor(() => expect(count.running).toBe(1));
    for (let index = 0; index < 101; index++) {
      const socket = await sendLogin(server, ADA.email);
      await vi.waitFor(() => expect(arrived).toBe(index + 1), { interval: 1 });
      socket.destroy();
      await vi.waitFor(() => expect(turnedAway()).toBe(index + 1), { interval: 1 });
    }
    letGo();
    await first;
    expect((await login('eve@example.com', WRONG, '127.0.0.1')).statusCode).toBe(429);
    expect((await login(ADA.email, WRONG, '192.0.2.2')).statusCode).toBe(401);
    expect((await login(ADA.email, ADA.password, '192.0.2.2')).statusCode).toBe(200);
  });
});

test('a directory that does not answer holds no place', async () => {
  const never = Promise.withResolvers<undefined>();
  harness = await startIdcard({
    env: { PASSWORD_HASHES_AT_ONCE: '1' },
    directory: (real) => ({
      ...real,
      findByEmail: (email) => (email === BOB.email ? never.promise : real.findByEmail(email)),
    }),
  });
  await addUser(harness);
  const stuck = login(BOB.email, BOB.password);
  await logIn(harness);
  never.resolve(undefined);
  expect((await stuck).statusCode).toBe(401);
});
