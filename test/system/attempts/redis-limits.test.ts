import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AttemptLimits, createAttemptLimits } from '../../../src/attempts/limits.ts';
import { createMemoryStore } from '../../../src/attempts/memory-store.ts';
import { openRedisLimits } from '../../../src/attempts/redis-limits.ts';
import { monotonicMs } from '../../../src/base/clock.ts';
import { createEvents } from '../../../src/events/events.ts';
import { logEvents } from '../../../src/events/log.ts';
import { Problem } from '../../../src/problems/problem.ts';
import { findFreePort, runNode } from '../../support/process.ts';
import { type Redis as RedisServer, startRedis } from '../../support/redis.ts';
import { lacks } from '../../support/system.ts';
import { until } from '../../support/workers.ts';

const ADA = 'ada@example.com';
const HOME = '203.0.113.7';
/** A tenth of what it is otherwise: nobody waits for longer than three of them. */
const RETRY_MS = 100;
const ISSUER = 'https://login.example.com';

interface Replica {
  limits: AttemptLimits;
  /** Of its log, the names of the events and their reasons. */
  events: () => string[];
  logText: () => string;
}

let redis: RedisServer;
let opened: AttemptLimits[];
beforeEach(() => {
  opened = [];
});
afterEach(async () => {
  for (const limits of opened) limits.close?.();
  await redis?.remove();
});

async function openReplica(redisUrl = redis.url, publicUrl = ISSUER): Promise<Replica> {
  const lines: string[] = [];
  const logger = pino({ base: null }, { write: (line: string) => void lines.push(line) });
  const local = createAttemptLimits(createMemoryStore(monotonicMs));
  const limits = await openRedisLimits(
    { redisUrl, publicUrl },
    local,
    createEvents(logEvents(logger)),
    RETRY_MS,
  );
  opened.push(limits);
  const events = () =>
    lines.map((line) => JSON.parse(line)).map(({ event, reason = '' }) => `${event} ${reason}`.trim());
  return { limits, events, logText: () => lines.join('') };
}

/** Whether the attempt was admitted. */
async function guess({ limits }: Replica, address = '192.0.2.1', account = ADA): Promise<boolean> {
  try {
    await limits.countAttempt({ address, account });
    return true;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    expect(error.kind.status).toBe(429);
    return false;
  }
}

/** How many of these guesses, one after the other at each replica in turn, were admitted. */
async function guessTimes(count: number, replicas: Replica[], account = ADA): Promise<number> {
  let admitted = 0;
  for (let index = 0; index < count; index++) {
    const replica = replicas[index % replicas.length];
    if (replica && (await guess(replica, stranger(index), account))) admitted++;
  }
  return admitted;
}

async function logIn({ limits }: Replica, address: string, account = ADA): Promise<void> {
  await (await limits.countAttempt({ address, account })).end('succeeded');
}

/** An address of its own for each number. */
function stranger(index: number): string {
  return `198.51.${index >> 8}.${index & 255}`;
}

// A replica whose machine is too busy to hear from Redis in time rightly counts alone: then once more.
describe.skipIf(lacks('redis-server'))('replicas that name one Redis', { retry: 2 }, () => {
  let replicas: [Replica, Replica];
  beforeEach(async () => {
    redis = await startRedis();
    replicas = [await openReplica(), await openReplica()];
  });

  test('count guesses together', async () => {
    expect(await guessTimes(14, replicas)).toBe(11);
    expect(replicas.map(({ events }) => events())).toEqual([['limits.shared'], ['limits.shared']]);
  });

  test('count guesses made at once together, and no refused one lengthens the delay', async () => {
    const guesses = Array.from({ length: 40 }, (_, index) =>
      guess(replicas[index % 2 ? 0 : 1], stranger(index)),
    );
    expect((await Promise.all(guesses)).filter(Boolean)).toHaveLength(11);
    const refusal = await replicas[0].limits
      .countAttempt({ address: '192.0.2.1', account: ADA })
      .catch((error: Problem) => error.headers);
    expect(refusal).toMatchObject({ 'retry-after': '1' });
  });

  test('take back at any of them what was no guess, and nothing else', async () => {
    await guessTimes(10, [replicas[0]]);
    await logIn(replicas[1], HOME);
    expect(await guessTimes(14, [replicas[0]])).toBe(1);
  });

  test('do not count with those of another issuer', async () => {
    const other = await openReplica(redis.url, 'https://login.example.org');
    await guessTimes(14, replicas);
    expect(await guessTimes(14, [other])).toBe(11);
  });

  test('keep neither an email nor an address there, and nothing for ever', async () => {
    await logIn(replicas[0], HOME);
    await guessTimes(14, replicas);
    const client = new Redis(redis.url);
    const keys = await client.keys('*');
    expect(keys.length).toBeGreaterThan(12);
    for (const key of keys) {
      expect(key).toMatch(/^idcard:(address|account)-(attempts|delay):[\w-]{43}$/);
      expect(await client.get(key)).toMatch(/^\d+$/);
      expect(await client.pttl(key)).toBeGreaterThan(0);
    }
    client.disconnect();
  });

  test('need no more rights than these', async () => {
    const admin = new Redis(redis.url);
    const rights = '~idcard:* +eval +get +set +del +pttl';
    await admin.acl('SETUSER', 'idcard', 'on', '>a-long-one', ...rights.split(' '));
    admin.disconnect();
    const replica = await openReplica(redis.url.replace('//', '//idcard:a-long-one@'));
    await guessTimes(14, [replica]);
    await logIn(replica, HOME, 'bob@example.com');
    expect(await guess(replicas[0])).toBe(false);
    expect(replica.events()).toEqual(['limits.shared']);
  });
});

describe.skipIf(lacks('redis-server'))('a Redis that', { retry: 2 }, () => {
  const command = async (...parts: [string, ...string[]]) => {
    const client = new Redis(redis.url);
    await client.call(...parts);
    client.disconnect();
  };
  const failures = [
    {
      failure: 'is killed, and comes back empty',
      breaks: () => redis.kill(),
      mends: () => redis.start(),
      reason: 'CLOSED',
    },
    {
      failure: 'accepts and never answers',
      breaks: () => redis.kill('SIGSTOP'),
      mends: () => redis.kill('SIGCONT'),
      reason: 'ETIMEDOUT',
    },
    {
      failure: 'is full',
      breaks: () => command('CONFIG', 'SET', 'maxmemory', '1'),
      mends: () => command('CONFIG', 'SET', 'maxmemory', '0'),
      reason: 'OOM',
    },
    {
      failure: 'became a read-only replica',
      breaks: () => command('REPLICAOF', '127.0.0.1', '1'),
      mends: () => command('REPLICAOF', 'NO', 'ONE'),
      reason: 'READONLY',
    },
    {
      failure: 'wants another password',
      breaks: async () => {
        const client = new Redis(redis.url);
        await client.config('SET', 'requirepass', 'another');
        await client.call('CLIENT', 'KILL', 'TYPE', 'normal'); // those that are let in already
        client.disconnect();
      },
      mends: async () => {
        const client = new Redis(redis.url, { password: 'another' });
        await client.config('SET', 'requirepass', '');
        client.disconnect();
      },
      reason: 'CLOSED',
    },
  ];

  test.each(failures)(
    '$failure leaves each replica with a count of its own, until it is mended',
    async ({ breaks, mends, reason }) => {
      redis = await startRedis();
      const replicas = [await openReplica(), await openReplica()];
      expect(await guessTimes(14, replicas)).toBe(11);

      await breaks();
      for (const replica of replicas) {
        const start = performance.now();
        await Promise.all([logIn(replica, HOME, 'bob@example.com'), logIn(replica, HOME, 'eve@example.com')]);
        await logIn(replica, HOME, 'bob@example.com');
        expect(performance.now() - start).toBeLessThan(1500);
        expect(await guessTimes(14, [replica])).toBe(11);
      }
      await sleep(3 * RETRY_MS); // it is tried again meanwhile

      await mends();
      const mendedAt = performance.now();
      await until(() => replicas.every(({ events }) => events().at(-1) === 'limits.shared'));
      expect(performance.now() - mendedAt).toBeLessThan(5000);
      expect(await guessTimes(14, replicas, 'carol@example.com')).toBe(11);
      for (const { events } of replicas) {
        expect(events()).toEqual(['limits.shared', `limits.local ${reason}`, 'limits.shared']);
      }
    },
  );

  test('is away at the start is waited for by nobody, and found when it comes', async () => {
    redis = await startRedis();
    await redis.kill();
    const start = performance.now();
    const replica = await openReplica();
    expect(performance.now() - start).toBeLessThan(1500);
    expect(await guessTimes(14, [replica])).toBe(11);
    expect(replica.events()).toEqual(['limits.local ECONNREFUSED']);
    await redis.start();
    await until(() => replica.events().at(-1) === 'limits.shared');
    expect(await guessTimes(14, [replica])).toBe(11);
  });

  test.each([
    { name: 'wants a password', settings: ['--requirepass', 's3cret'], user: '', reason: 'NOAUTH' },
    {
      name: 'wants another password',
      settings: ['--requirepass', 's3cret'],
      user: ':wr0ng@',
      reason: 'WRONGPASS',
    },
    { name: 'has no such database', settings: ['--databases', '1'], user: '', path: '/1', reason: 'ERR' },
    { name: 'speaks no TLS', settings: [], user: ':s3cret@', protocol: 'rediss:', reason: 'ETIMEDOUT' },
  ])(
    '$name is told once, and not with the password',
    async ({ settings, user, path = '', protocol = 'redis:', reason }) => {
      redis = await startRedis(...settings);
      const replica = await openReplica(`${protocol}//${user}127.0.0.1:${redis.port}${path}`);
      expect(await guessTimes(14, [replica])).toBe(11);
      await sleep(3 * RETRY_MS);
      expect(replica.events()).toEqual([`limits.local ${reason}`]);
      expect(replica.logText()).not.toMatch(/s3cret|wr0ng/);
    },
  );

  test('gets back no attempt that it did not count', async () => {
    redis = await startRedis();
    const [replica, other] = [await openReplica(), await openReplica()];
    await guessTimes(10, [other]);
    await redis.kill('SIGSTOP');
    const madeMeanwhile = await replica.limits.countAttempt({ address: '192.0.2.1', account: ADA });
    await redis.kill('SIGCONT');
    await until(() => replica.events().at(-1) === 'limits.shared');
    await madeMeanwhile.end('succeeded');
    expect(await guessTimes(14, [replica])).toBeLessThanOrEqual(1);
  });

  test('goes away before the outcome of an attempt lets it end as it would', async () => {
    redis = await startRedis();
    const replica = await openReplica();
    const attempts = await Promise.all(
      [1, 2].map(() => replica.limits.countAttempt({ address: '192.0.2.1', account: ADA })),
    );
    await redis.kill('SIGSTOP');
    const [first, second] = attempts;
    const start = performance.now();
    const headers = await Promise.all([first?.end('succeeded'), second?.end('abandoned')]);
    expect(performance.now() - start).toBeLessThan(1500);
    expect(headers).toEqual(attempts.map((attempt) => attempt.headers));
    expect(replica.events()).toEqual(['limits.shared', 'limits.local ETIMEDOUT']);
  });

  test.each(['SIGCONT', 'SIGSTOP', 'SIGKILL'])(
    'got %s does not keep a process that is done',
    async (signal) => {
      redis = await startRedis();
      const script = `
      import { Redis } from 'ioredis';
      import { pino } from 'pino';
      import { noAttemptLimits } from './src/attempts/limits.ts';
      import { openRedisLimits } from './src/attempts/redis-limits.ts';
      import { createEvents } from './src/events/events.ts';
      import { logEvents } from './src/events/log.ts';
      const settings = { redisUrl: '${redis.url}', publicUrl: '${ISSUER}' };
      const limits = await openRedisLimits(settings, noAttemptLimits, createEvents(logEvents(pino())));
      const client = new Redis('${redis.url}');
      const [, pid] = /process_id:(\\d+)/.exec(await client.info('server'));
      client.disconnect();
      process.kill(Number(pid), '${signal}');
      const logIn = async () => (await limits.countAttempt({ address: '192.0.2.1', account: '${ADA}' })).end('succeeded');
      await Promise.all(Array.from({ length: 9 }, logIn));
      limits.close();
      process.on('exit', () => console.error(performance.now() < 10_000));`;
      const { code, stdout, stderr } = await runNode(['--input-type=module', '--eval', script]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: 'true\n' });
      expect(stdout.includes('limits.local')).toBe(signal !== 'SIGCONT');
    },
  );

  test('answers more slowly than an attempt can wait is not counted in', async () => {
    redis = await startRedis();
    const slow = createServer((socket) => {
      const upstream = connect(redis.port, '127.0.0.1');
      for (const [from, to] of [
        [socket, upstream],
        [upstream, socket],
      ] as const) {
        from.on('data', (data) => setTimeout(() => to.write(data), 200));
        from.on('error', () => undefined).on('close', () => to.destroy());
      }
    });
    const port = await findFreePort();
    await once(slow.listen(port, '127.0.0.1'), 'listening');
    const replica = await openReplica(`redis://127.0.0.1:${port}`);
    expect(await guessTimes(14, [replica])).toBe(11);
    expect(replica.events()).toEqual(['limits.local ETIMEDOUT']);
    slow.close();
  });
});

test.each([
  { server: 'is loading', answer: '-LOADING Redis is loading the dataset in memory', reason: 'LOADING' },
  { server: 'repeats what it was sent', answer: "-ERR unknown command, with args: 's3cret'", reason: 'ERR' },
  { server: 'is no Redis', answer: 'HTTP/1.1 400 Bad Request s3cret', reason: 'CLOSED' },
])('a server that $server is no Redis to count in', async ({ answer, reason }) => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => socket.write(`${answer}\r\n`));
  });
  const port = await findFreePort();
  await once(server.listen(port, '127.0.0.1'), 'listening');
  const replica = await openReplica(`redis://:s3cret@127.0.0.1:${port}`);
  expect(await guessTimes(14, [replica])).toBe(11);
  expect(replica.events()).toEqual([`limits.local ${reason}`]);
  expect(replica.logText()).not.toContain('s3cret');
  server.close();
});
