import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createFollowingClock, type FollowingClock } from '../src/base/clock.ts';
import { START } from './support/app.ts';

const HOUR = 3600;

/** What the other clock says: the true time, whatever this machine believes. */
let trueMs: number;
let asked: number;
let deviations: number[];
let clock: FollowingClock;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'], now: START * 1000 });
  trueMs = START * 1000;
  asked = 0;
  deviations = [];
  clock = createFollowingClock((seconds) => deviations.push(seconds));
});
afterEach(() => void vi.useRealTimers());

async function ask(): Promise<number> {
  asked++;
  return trueMs;
}
/** The machine runs, and both of its clocks with it. */
function run(seconds: number): void {
  trueMs += seconds * 1000;
  vi.advanceTimersByTime(seconds * 1000);
}
/** The machine does not run: the monotonic clock stands still, the system's is right afterwards. */
function suspend(seconds: number): void {
  trueMs += seconds * 1000;
  vi.setSystemTime(Date.now() + seconds * 1000);
}
/** Somebody sets the system's clock. */
function setSystemClock(seconds: number): void {
  vi.setSystemTime(Date.now() + seconds * 1000);
}
const readings = () => [clock.now() - START, clock.issuing() - START];

test('until it follows another one, it is the system’s clock, there and back', () => {
  expect(readings()).toEqual([0, 0]);
  setSystemClock(HOUR);
  expect(readings()).toEqual([HOUR, HOUR]);
  setSystemClock(-2 * HOUR);
  expect(readings()).toEqual([-HOUR, -HOUR]);
});

test.each([-HOUR, 0, HOUR])(
  'a system’s clock that is wrong by %d s all the time changes nothing',
  async (wrong) => {
    setSystemClock(wrong);
    await clock.follow(ask);
    expect(readings()).toEqual([0, 0]);
    run(100);
    expect(readings()).toEqual([100, 100]);
    await clock.follow(ask);
    run(100);
    expect(readings()).toEqual([200, 200]);
    expect(deviations).toEqual(wrong === 0 ? [] : [-wrong]);
  },
);

describe('a machine that was suspended', () => {
  test('is told by the system’s clock that time has passed, before anybody was asked', async () => {
    await clock.follow(ask);
    suspend(HOUR);
    expect(clock.now()).toBe(START + HOUR);
    await clock.follow(ask);
    expect(readings()).toEqual([HOUR, HOUR]);
    run(10);
    expect(readings()).toEqual([HOUR + 10, HOUR + 10]);
  });

  test('believes no answer that was on its way meanwhile', async () => {
    await clock.follow(ask);
    await clock.follow(async () => {
      const answer = await ask();
      suspend(HOUR);
      return answer;
    });
    expect(clock.now()).toBe(START + HOUR);
  });

  test('knows it while the other clock is away, for as long as that may take', async () => {
    await clock.follow(ask);
    suspend(HOUR);
    for (let poll = 0; poll < 3; poll++) await clock.follow(() => Promise.reject(new Error('away')));
    expect(clock.now()).toBe(START + HOUR);
  });
});

describe('a system’s clock that is set ahead', () => {
  test('ends what ends, begins nothing in the future, and has the other one asked at once', async () => {
    await clock.follow(ask);
    setSystemClock(HOUR);
    expect(readings()).toEqual([HOUR, 0]);
    await vi.waitFor(() => expect(readings()).toEqual([0, 0]));
    expect([asked, deviations]).toEqual([2, [-HOUR]]);
  });

  test('asks once, however often the time is wanted, and then as often as it is told to', async () => {
    await clock.follow(ask);
    const isAway = vi.fn(() => Promise.reject(new Error('away')));
    await clock.follow(isAway);
    setSystemClock(HOUR);
    for (let reading = 0; reading < 100; reading++) clock.now();
    await vi.waitFor(() => expect(asked).toBe(2));
    await vi.waitFor(() => expect(readings()).toEqual([0, 0]));
    setSystemClock(HOUR);
    for (let reading = 0; reading < 100; reading++) clock.now();
    await vi.waitFor(() => expect(asked).toBe(3));
  });

  test('and set back is ignored', async () => {
    await clock.follow(ask);
    run(10);
    setSystemClock(-HOUR);
    expect(readings()).toEqual([10, 10]);
    run(10);
    expect([...readings(), asked]).toEqual([20, 20, 1]);
  });
});

test('an answer that took longer than a second is not believed, but the first one is', async () => {
  const slowly = async () => {
    run(2);
    return ask();
  };
  await clock.follow(slowly);
  expect(clock.now()).toBe(START + 3); // the middle of the 2 s it took is taken for the moment of the answer
  await clock.follow(ask);
  expect(clock.now()).toBe(START + 3);
  trueMs += HOUR * 1000;
  await clock.follow(slowly);
  expect(clock.now()).toBe(START + 5);
});
