import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AttemptLimits, createAttemptLimits, noAttemptLimits } from '../../../src/attempts/limits.ts';
import { createMemoryStore } from '../../../src/attempts/memory-store.ts';
import { networksOf } from '../../../src/attempts/networks.ts';
import { createRedisStore } from '../../../src/attempts/redis-store.ts';
import { Problem } from '../../../src/problems/problem.ts';
import { letPass, useRedis } from '../../support/redis.ts';
import { lacks } from '../../support/system.ts';

const ADA = 'ada@example.com';
const HOUR = 3600;
const DAY = 86_400;

let limits: AttemptLimits;
let pass: (seconds: number) => Promise<void>;

function countInMemory(): void {
  beforeEach(() => {
    let passedMs = 0;
    limits = createAttemptLimits(createMemoryStore(() => passedMs));
    pass = async (seconds) => {
      passedMs += seconds * 1000;
    };
  });
}

function countInRedis(): void {
  const redis = useRedis();
  beforeEach(async () => {
    await redis().flushall();
    limits = createAttemptLimits(createRedisStore(redis(), 'https://login.example.com'));
    pass = (seconds) => letPass(redis(), seconds);
  });
  afterEach(async () => {
    for (const key of await redis().keys('*')) {
      expect(key).toMatch(/^idcard:(account|devices|address|home|site)-(attempts|delay):[\w-]{43}$/);
      const leftMs = await redis().pttl(key);
      if (leftMs === -2) continue; // just expired
      expect(leftMs).toBeGreaterThan(0);
      expect(Number(await redis().get(key))).toBeGreaterThan(0);
    }
  });
}

/** The seconds to wait; 0 when the attempt was admitted. */
async function guess(address: string, account = ADA): Promise<number> {
  try {
    await limits.countAttempt({ address, account });
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
  const attempt = await limits.countAttempt({ address, account });
  await attempt.end('succeeded');
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
  describe('guesses from devices of one account', () => {
    const fromDevice = (device: string, from: string) =>
      limits.countAttempt({ address: from, account: ADA, device });

    test('are counted for each, and 100 of all of them together are free', async () => {
      for (let index = 0; index < 101; index++) await fromDevice(`device${index % 20}`, stranger(index));
      for (const device of ['device1', 'one more']) {
        await expect(fromDevice(device, '192.0.2.1')).rejects.toMatchObject({
          headers: { 'retry-after': '1', ratelimit: '"address";r=100' },
        });
      }
      expect(await guessTimes(12, '192.0.2.1')).toEqual([...Array(11).fill(0), 1]);
    });

    test('leave no count when they were none', async () => {
      for (let index = 0; index < 150; index++) {
        const attempt = await fromDevice('device1', stranger(index));
        await attempt.end(index % 2 ? 'abandoned' : 'succeeded');
      }
      for (let index = 0; index < 101; index++) await fromDevice(`device${index % 20}`, stranger(index));
      await expect(fromDevice('device1', '192.0.2.1')).rejects.toThrow();
    });
  });

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

    test('stay counted when the user logs in: nobody can see by them that somebody does', async () => {
      await guessTimes(9, '192.0.2.1');
      await logIn('192.0.2.2');
      expect(await guessTimes(3, '192.0.2.1')).toEqual([0, 0, 1]);
    });

    test('keep the delay that they have brought about when an attempt before them is taken back', async () => {
      await guessTimes(10, '192.0.2.1');
      const slow = await limits.countAttempt({ address: '192.0.2.2', account: ADA }); // its delay is a second
      await pass(1);
      expect(await guess('192.0.2.1')).toBe(0);
      await slow.end('succeeded');
      expect(await guess('192.0.2.1')).toBe(2);
      await pass(2);
      expect(await guessTimes(2, '192.0.2.1')).toEqual([0, 2]);
    });

    test('do not slow down another account', async () => {
      await guessTimes(30, '192.0.2.1');
      expect(await guess('192.0.2.1', 'bob@example.com')).toBe(0);
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

    test('from all over an IPv6 /56 and /48 are counted together too, with more of them free', async () => {
      const guessIn = async (network: string, count: number) => {
        let waited = 0;
        for (let index = 0; index < count; index++) {
          if ((await guess(`${network}::1`, `user${index} of ${network}@example.com`)) > 0) waited++;
        }
        return waited;
      };
      const part = (home: number, index: number) => `2001:db8:1:${(256 * home + index).toString(16)}`;
      for (const home of [0, 1, 2]) {
        for (let index = 0; index < 4; index++) expect(await guessIn(part(home, index), 100)).toBe(0);
        expect(await guessIn(part(home, 255), 2)).toBe(1); // of the /56, 401 were admitted
      }
      for (let index = 0; index < 4; index++) expect(await guessIn(part(3, index), 99)).toBe(0);
      expect(await guessIn(part(4, 0), 3)).toBe(1); // of the /48, 1601
      expect(await guess('2001:db8:1:ffff::1')).toBe(1);
      expect(await guess('2001:db8:2:0::1')).toBe(0);
    });

    test('that one of their networks refuses are counted in none', async () => {
      await guessAtEverybody('2001:db8:1:1::1', 101);
      for (let index = 0; index < 500; index++) expect(await guess('2001:db8:1:1::1')).toBeGreaterThan(0);
      expect(await guessAtEverybody('2001:db8:1:2::1', 100)).toEqual(Array(100).fill(0));
      expect(await guessTimes(11, '192.0.2.1')).toEqual(Array(11).fill(0));
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
        await (await limits.countAttempt({ address: '192.0.2.1', account: ADA })).end('turned-away');
      }
      expect(await guessTimes(12, '192.0.2.1')).toEqual([...Array(11).fill(0), 1]);
    });

    test('because it was turned away costs nobody the delay that they had waited for', async () => {
      await guessTimes(11, '192.0.2.1');
      await pass(1);
      await (await limits.countAttempt({ address: '192.0.2.1', account: ADA })).end('turned-away');
      expect(await guess('192.0.2.1')).toBe(0);
      expect(await guess('192.0.2.1')).toBe(2);
    });

    test('because its client left counts for the address, since it held a place, and not for the account', async () => {
      for (let index = 0; index < 101; index++) {
        await (await limits.countAttempt({ address: '192.0.2.1', account: ADA })).end('abandoned');
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
      await limits.countAttempt({
        address: `2001:${index.toString(16)}::1`,
        account: `nobody${index}@example.com`,
      });
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
      const attempt = await limits.countAttempt({
        address: `2001:${index.toString(16)}::1`,
        account: nobody(index),
      });
      await attempt.end('turned-away');
    }
    expect(await guess('192.0.2.1')).toBe(1);
  });
});

describe('an attempt is counted under', () => {
  test.each([
    ['192.0.2.1', ['192.0.2.1']],
    ['::ffff:192.0.2.1', ['192.0.2.1']],
    ['2001:db8:1:2345:3:4:5:6', ['2001:db8:1:2345', '2001:db8:1:2300', '2001:db8:1:0']],
    ['2001:db8:1:2::', ['2001:db8:1:2', '2001:db8:1:0', '2001:db8:1:0']],
    ['2001:db8::ffff:3:4:5:6', ['2001:db8:0:ffff', '2001:db8:0:ff00', '2001:db8:0:0']],
    ['::1', ['0:0:0:0', '0:0:0:0', '0:0:0:0']],
    ['fe80::1', ['fe80:0:0:0', 'fe80:0:0:0', 'fe80:0:0:0']],
    // Behind a translator (RFC 6052) it is the IPv4 client. With 6to4 (RFC 3056) that one has a /48, which is counted.
    ['64:ff9b::192.0.2.1', ['192.0.2.1']],
    ['64:ff9b:1::192.0.2.1', ['64:ff9b:1:0', '64:ff9b:1:0', '64:ff9b:1:0']],
    ['2002:c000:201:1::1', ['2002:c000:201:1', '2002:c000:201:0', '2002:c000:201:0']],
    ['unknown', ['unknown']],
  ])('of %s %j', (address, names) => {
    const kinds = ['address', 'home', 'site'];
    expect(networksOf(address)).toEqual(names.map((name, index) => ({ kind: kinds[index], name })));
  });
});

test('without limits every guess is admitted', async () => {
  limits = noAttemptLimits;
  expect(await guessTimes(200, '192.0.2.1')).toEqual(Array(200).fill(0));
});
