import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  createGuessLimits,
  type GuessLimits,
  networkOf,
  noGuessLimits,
} from '../../src/passwords/guessing.ts';
import { createRedisStore } from '../../src/passwords/redis-store.ts';
import { Problem } from '../../src/problems/problem.ts';
import { type Redis as RedisServer, startRedis } from '../support/redis.ts';
import { lacks } from '../support/system.ts';

const ADA = 'ada@example.com';
const HOUR = 3600;
const DAY = 86_400;

let limits: GuessLimits;
let pass: (seconds: number) => Promise<void>;

function countInMemory(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] });
    limits = createGuessLimits();
    pass = async (seconds) => void vi.advanceTimersByTime(seconds * 1000);
  });
  afterEach(() => {
    vi.useRealTimers();
  });
}

/** In a real Redis, whose keys all come closer to their end when time is to pass. */
function countInRedis(): void {
  const closer = `
    for _, key in ipairs(redis.call('KEYS', '*')) do
      local left = redis.call('PTTL', key) - ARGV[1]
      if left > 0 then redis.call('PEXPIRE', key, left) else redis.call('DEL', key) end
    end`;
  let server: RedisServer;
  let redis: Redis;
  beforeAll(async () => {
    server = await startRedis();
    redis = new Redis(server.url);
  });
  afterAll(async () => {
    redis.disconnect();
    await server.remove();
  });
  beforeEach(async () => {
    await redis.flushall();
    const forgetful = { has: async () => false, add: async () => undefined };
    limits = createGuessLimits(createRedisStore(redis, 'https://login.example.com', forgetful));
    pass = async (seconds) => void (await redis.eval(closer, 0, seconds * 1000));
  });
  afterEach(async () => {
    for (const key of await redis.keys('*')) {
      expect(key).toMatch(
        /^idcard:(address-attempts|address-delay|account-attempts|account-delay|known):[\w-]{43}$/,
      );
      expect(await redis.pttl(key)).toBeGreaterThan(0);
      if (!key.startsWith('idcard:known')) expect(Number(await redis.get(key))).toBeGreaterThan(0);
    }
  });
}

/** The seconds to wait; 0 when the attempt was admitted. */
async function guess(address: string, account = ADA): Promise<number> {
  try {
    await limits.count(address, account);
    return 0;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    expect(error.kind.status).toBe(429);
    return Number(error.headers['retry-after']);
  }
}

async function guessTimes(count: number, address: string, account = ADA): Promise<number[]> {
  const waits: number[] = [];
  for (let index = 0; index < count; index++) waits.push(await guess(address, account));
  return waits;
}

async function logIn(address: string, account = ADA): Promise<void> {
  const attempt = await limits.count(address, account);
  await attempt.succeeded();
}

/** An address of its own for each number. */
function stranger(index: number): string {
  return `198.51.${index >> 8}.${index & 255}`;
}

describe('in memory', () => {
  countInMemory();
  slowsGuessesDown();
});
describe.skipIf(lacks('redis-server'))('in Redis', () => {
  countInRedis();
  slowsGuessesDown();
});

function slowsGuessesDown(): void {
  describe('guesses at one account', () => {
    test('are free for the first ten, and then wait for a second, two, four and on to an hour', async () => {
      expect(await guessTimes(11, '192.0.2.1')).toEqual(Array(11).fill(0));
      const delays: number[] = [];
      for (let index = 0; index < 15; index++) {
        const wait = await guess(stranger(index));
        delays.push(wait);
        await pass(wait);
        expect(await guess(stranger(index))).toBe(0);
      }
      expect(delays).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, HOUR, HOUR, HOUR]);
    });

    test('are refused until the last second of the delay', async () => {
      await guessTimes(14, '192.0.2.1');
      await pass(1);
      await guess('192.0.2.1'); // the next waits for 2 s
      await pass(1.5);
      expect(await guess('192.0.2.1')).toBe(1);
      await pass(0.5);
      expect(await guess('192.0.2.1')).toBe(0);
    });

    test('that are refused do not lengthen the delay', async () => {
      await guessTimes(50, '192.0.2.1');
      expect(await guess('192.0.2.1')).toBe(1);
      await pass(1);
      expect(await guess('192.0.2.1')).toBe(0);
    });

    test('made at once from everywhere are all counted', async () => {
      const waits = await Promise.all(Array.from({ length: 200 }, (_, index) => guess(stranger(index))));
      expect(waits.filter((wait) => wait === 0)).toHaveLength(11);
    });

    test('number fewer than 100 before the delay is an hour, and fewer than 50 on every day after', async () => {
      const madeAtSeconds: number[] = [];
      let guessesBeforeAnHour: number | undefined;
      for (let seconds = 0; seconds < 5 * DAY; ) {
        const wait = await guess(stranger(madeAtSeconds.length));
        if (wait === 0) madeAtSeconds.push(seconds);
        if (wait === HOUR) guessesBeforeAnHour ??= madeAtSeconds.length;
        await pass(wait);
        seconds += wait;
      }
      expect(guessesBeforeAnHour).toBeLessThanOrEqual(23);
      const days = madeAtSeconds.map((seconds) => Math.floor(seconds / DAY));
      for (let day = 0; day < 5; day++) {
        const guesses = days.filter((other) => other === day).length;
        expect(guesses).toBeGreaterThan(0);
        expect(guesses).toBeLessThanOrEqual(50);
      }
    });

    test('are forgotten after a day', async () => {
      await guessTimes(11, '192.0.2.1');
      expect(await guess('192.0.2.1')).toBe(1);
      await pass(DAY);
      expect(await guessTimes(11, '192.0.2.1')).toEqual(Array(11).fill(0));
    });

    test('are forgotten when the user logs in', async () => {
      await guessTimes(9, '192.0.2.1');
      await logIn('192.0.2.2');
      expect(await guessTimes(11, '192.0.2.1')).toEqual(Array(11).fill(0));
    });

    test('do not slow down another account', async () => {
      await guessTimes(30, '192.0.2.1');
      expect(await guess('192.0.2.1', 'bob@example.com')).toBe(0);
    });

    test('do not keep the user out of a network from which they have logged in', async () => {
      await logIn('203.0.113.7');
      await guessTimes(30, '192.0.2.1');
      expect(await guess('192.0.2.1')).toBe(1);
      expect(await guess('203.0.113.7')).toBe(0);
    });

    test('from a network that the user knows are limited too', async () => {
      await logIn('203.0.113.7');
      await guessTimes(11, '203.0.113.7');
      expect(await guess('203.0.113.7')).toBe(1);
      expect(await guess('192.0.2.1')).toBe(0);
    });

    test('from a network that another user knows are counted with those of strangers', async () => {
      await logIn('203.0.113.7', 'bob@example.com');
      await guessTimes(11, '192.0.2.1');
      expect(await guess('203.0.113.7')).toBe(1);
    });
  });

  describe('guesses from one address', () => {
    async function guessAtEverybody(address: string, count: number, from = 0): Promise<number[]> {
      const waits: number[] = [];
      for (let index = from; index < from + count; index++) {
        waits.push(await guess(address, `user${index}@example.com`));
      }
      return waits;
    }

    test('at different accounts are free for the first hundred, and then wait for five minutes at most', async () => {
      expect(await guessAtEverybody('192.0.2.1', 101)).toEqual(Array(101).fill(0));
      const delays: number[] = [];
      for (let index = 0; index < 11; index++) {
        const [wait = 0] = await guessAtEverybody('192.0.2.1', 1, 101 + index);
        delays.push(wait);
        await pass(wait);
        expect(await guessAtEverybody('192.0.2.1', 1, 101 + index)).toEqual([0]);
      }
      expect(delays).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    });

    test('do not slow down another address', async () => {
      await guessAtEverybody('192.0.2.1', 110);
      expect(await guess('192.0.2.2', 'user0@example.com')).toBe(0);
    });

    test('from anywhere in one IPv6 /64 are counted together', async () => {
      for (let index = 0; index < 101; index++) {
        await guess(`2001:db8:1:2::${index.toString(16)}`, `user${index}@example.com`);
      }
      expect(await guess('2001:db8:1:2:ffff:ffff:ffff:ffff')).toBe(1);
      expect(await guess('2001:db8:1:3::1')).toBe(0);
    });

    test('do not count when they are logins', async () => {
      for (let index = 0; index < 300; index++) await logIn('192.0.2.1', `user${index}@example.com`);
      expect(await guess('192.0.2.1')).toBe(0);
    });

    test('do not count when the account refused them', async () => {
      await guessTimes(300, '192.0.2.1');
      expect(await guess('192.0.2.1', 'bob@example.com')).toBe(0);
    });

    test('that are refused do not count for the account', async () => {
      await guessAtEverybody('192.0.2.1', 101);
      expect(await guessTimes(50, '192.0.2.1')).toEqual(Array(50).fill(1));
      expect(await guessTimes(11, '192.0.2.2')).toEqual(Array(11).fill(0));
    });

    test('are forgotten after an hour', async () => {
      await guessAtEverybody('192.0.2.1', 101);
      await pass(HOUR);
      expect(await guessAtEverybody('192.0.2.1', 101)).toEqual(Array(101).fill(0));
    });
  });

  describe('an attempt that never reached the hash', () => {
    test('because it was turned away counts for nothing, however often', async () => {
      for (let index = 0; index < 500; index++) {
        await (await limits.count('192.0.2.1', ADA)).turnedAway();
      }
      expect(await guessTimes(12, '192.0.2.1')).toEqual([...Array(11).fill(0), 1]);
    });

    test('because it was turned away costs nobody the delay that they had waited for', async () => {
      await guessTimes(11, '192.0.2.1');
      await pass(1);
      await (await limits.count('192.0.2.1', ADA)).turnedAway();
      expect(await guess('192.0.2.1')).toBe(0);
      expect(await guess('192.0.2.1')).toBe(2);
    });

    test('because its client left counts for the address, since it held a place, and not for the account', async () => {
      for (let index = 0; index < 101; index++) {
        await (await limits.count('192.0.2.1', ADA)).abandoned();
      }
      expect(await guess('192.0.2.1', 'bob@example.com')).toBe(1);
      expect(await guessTimes(12, '192.0.2.2')).toEqual([...Array(11).fill(0), 1]);
    });
  });
}

describe('of accounts and addresses in memory', () => {
  countInMemory();
  const nobody = (index: number) => `nobody${index}@example.com`;

  async function guessOnceAt(count: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      await limits.count(`2001:db8:0:${index.toString(16)}::1`, `nobody${index}@example.com`);
    }
  }

  test('50,000 are counted at once, and the one that was left alone for the longest time is forgotten', async () => {
    await guessTimes(11, '192.0.2.1');
    await guessTimes(11, '192.0.2.2', 'bob@example.com');
    await guessOnceAt(25_000);
    expect(await guess('192.0.2.1')).toBe(1);
    await guessOnceAt(49_999);
    expect(await guess('192.0.2.3')).toBe(1);
    expect(await guess('192.0.2.3', 'bob@example.com')).toBe(0);
  });

  test('those that were turned away make no other forgotten', async () => {
    await guessTimes(11, '192.0.2.1');
    for (let index = 0; index < 60_000; index++) {
      await (await limits.count(`2001:db8:0:${index.toString(16)}::1`, nobody(index))).turnedAway();
    }
    expect(await guess('192.0.2.1')).toBe(1);
  });
});

describe('the network of an address is', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:0DB8:0001:0002:0003:0004:0005:0006', '2001:db8:1:2'],
    ['2001:db8:1:2::', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['2001:db8::2:3:4:5:6', '2001:db8:0:2'],
    ['::1', '0:0:0:0'],
    ['::', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0'],
    ['1:2:3:4:5:6:192.0.2.1', '1:2:3:4'],
  ])('of %s %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});

test('without limits every guess is admitted', async () => {
  limits = noGuessLimits;
  expect(await guessTimes(200, '192.0.2.1')).toEqual(Array(200).fill(0));
});
