import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createHashQueue, type HashQueue } from '../../src/attempts/hash-queue.ts';
import { Problem } from '../../src/problems/problem.ts';

const stays = new AbortController().signal;

let hashQueue: HashQueue;
/** The hashes that run, in the order in which they began. */
let running: { name: string; finish: () => Promise<void> }[];
/** What became of each piece of work. */
let outcomes: Record<string, 'done' | Problem>;

beforeEach(() => {
  vi.useFakeTimers();
  running = [];
  outcomes = {};
});
afterEach(() => {
  vi.useRealTimers();
});

/** A hash that takes as long as the test wants it to. */
function hash(name: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const finish = async () => {
    running = running.filter((hash) => hash.name !== name);
    resolve();
    await settle();
  };
  running.push({ name, finish });
  return promise;
}

function submit(name: string, client = stays): void {
  hashQueue
    .run(() => hash(name), client)
    .then(
      () => {
        outcomes[name] = 'done';
      },
      (error: unknown) => {
        if (!(error instanceof Problem)) throw error;
        outcomes[name] = error;
      },
    );
}

async function submitAll(...names: string[]): Promise<void> {
  for (const name of names) submit(name);
  await settle();
}

const names = () => running.map(({ name }) => name);
const settle = () => vi.advanceTimersByTimeAsync(0);
const pass = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000);

/** Every hash from now on takes so long; sixty-four of them, so that the average has heard of it. */
async function learn(seconds: number): Promise<void> {
  for (let index = 0; index < 64; index++) {
    submit('measured');
    await pass(seconds);
    await running[0]?.finish();
  }
}

describe('with two hashes at once', () => {
  beforeEach(() => {
    hashQueue = createHashQueue({ atOnce: 2, queueSeconds: 5 });
  });

  test('the third waits, and those that wait have their turn in the order in which they came', async () => {
    await submitAll('a', 'b', 'c', 'd', 'e');
    expect(names()).toEqual(['a', 'b']);
    await running[1]?.finish();
    expect(names()).toEqual(['a', 'c']);
    await running[0]?.finish();
    expect(names()).toEqual(['c', 'd']);
    await running[0]?.finish();
    await running[0]?.finish();
    await running[0]?.finish();
    expect(outcomes).toEqual({ a: 'done', b: 'done', c: 'done', d: 'done', e: 'done' });
  });

  test('never are there more, however they arrive and leave', async () => {
    let atOnce = 0;
    let most = 0;
    let done = 0;
    const works = Array.from({ length: 150 }, async (_, index) => {
      const client = new AbortController();
      await pass(index % 7 === 0 ? 0.001 : 0);
      if (index % 3 === 0) setTimeout(() => client.abort(), index % 11);
      const work = async () => {
        most = Math.max(most, ++atOnce);
        await new Promise((resolve) => setTimeout(resolve, 1 + (index % 5)));
        atOnce--;
        done++;
        if (index % 4 === 0) throw new Error('a hash that failed');
      };
      await hashQueue.run(work, client.signal).catch(() => undefined);
    });
    await pass(5);
    await Promise.all(works);
    expect(most).toBe(2);
    expect(done).toBeGreaterThan(50);
    await submitAll('a', 'b', 'c');
    expect(names()).toEqual(['a', 'b']); // both places are free again, and no third
  });

  test('what fails gives up its place and fails alike', async () => {
    await submitAll('a');
    const failure = hashQueue.run(() => Promise.reject(new Error('out of memory')), stays);
    await expect(failure).rejects.toThrow('out of memory');
    await submitAll('b', 'c');
    expect(names()).toEqual(['a', 'b']);
  });

  test('work may hash twice in one turn, also when everything is full of such work', async () => {
    const work = async (name: string) => {
      await hash(`${name}1`);
      await hash(`${name}2`);
    };
    const all = Promise.all(['a', 'b', 'c', 'd'].map((name) => hashQueue.run(() => work(name), stays)));
    for (let index = 0; index < 8; index++) {
      await settle();
      await running[0]?.finish();
    }
    await all;
  });
});

describe('a client that leaves', () => {
  beforeEach(() => {
    hashQueue = createHashQueue({ atOnce: 1, queueSeconds: 5 });
  });

  test('while it waits is never hashed for, and holds up nobody', async () => {
    const client = new AbortController();
    await submitAll('a');
    submit('gone', client.signal);
    await submitAll('b');
    client.abort();
    await settle();
    expect(outcomes.gone).toBeInstanceOf(Problem);
    await running[0]?.finish();
    expect(names()).toEqual(['b']);
    await running[0]?.finish();
    expect(outcomes).toMatchObject({ a: 'done', b: 'done' });
    expect(vi.getTimerCount()).toBe(0);
  });

  test('while its hash runs keeps the place until that is done, or there would be more at once', async () => {
    const client = new AbortController();
    submit('gone', client.signal);
    await submitAll('next');
    client.abort();
    await settle();
    expect(names()).toEqual(['gone']);
    await running[0]?.finish();
    expect(names()).toEqual(['next']);
  });

  test('before its turn is asked for is not hashed for at all', async () => {
    submit('gone', AbortSignal.abort());
    await settle();
    expect(names()).toEqual([]);
    expect(outcomes.gone).toBeInstanceOf(Problem);
  });

  test('leaves nothing behind on a signal that lives on', async () => {
    const client = new AbortController();
    const add = vi.spyOn(client.signal, 'addEventListener');
    const remove = vi.spyOn(client.signal, 'removeEventListener');
    submit('a');
    submit('b', client.signal);
    await settle();
    await running[0]?.finish();
    await running[0]?.finish();
    expect(add).toHaveBeenCalledTimes(1);
    expect(remove.mock.calls).toEqual([[...(add.mock.calls[0] ?? [])]]);
  });
});

describe('what cannot have its turn in time', () => {
  beforeEach(() => {
    hashQueue = createHashQueue({ atOnce: 2, queueSeconds: 5 });
  });

  function refusalOf(name: string) {
    const outcome = outcomes[name];
    if (!(outcome instanceof Problem)) throw new Error(`${name} was not turned away.`);
    return { ...outcome.toJSON(), retryAfter: outcome.headers['retry-after'] };
  }

  test('is turned away at once, with the seconds until the queue is empty', async () => {
    await learn(0.5);
    await submitAll('a', 'b', ...Array.from({ length: 17 }, (_, index) => `waits${index}`), 'late');
    expect(Object.keys(outcomes)).toEqual(['measured', 'late']);
    expect(refusalOf('late')).toEqual({
      type: 'urn:idcard:problem:overloaded',
      title: 'Overloaded',
      status: 503,
      detail: 'Too many passwords wait to be checked; try again after the seconds in Retry-After.',
      retryAfter: '5',
    });
  });

  test('is told by how long hashes have lately taken', async () => {
    await learn(0.02);
    await submitAll(...Array.from({ length: 380 }, (_, index) => `a${index}`));
    expect(Object.keys(outcomes)).toEqual(['measured']);
    await submitAll(...Array.from({ length: 40 }, (_, index) => `b${index}`));
    expect(Object.keys(outcomes).length).toBeGreaterThan(1);
  });

  test('is turned away when the seconds are over and a hash still runs', async () => {
    await submitAll('a', 'b', 'c');
    await pass(4.9);
    submit('d');
    await pass(0.1);
    expect(refusalOf('c').retryAfter).toBe('1');
    expect(outcomes.d).toBeUndefined();
    await running[0]?.finish();
    expect(names()).toEqual(['b', 'd']);
  });

  test('is whatever comes after 2,000 that wait, however quick a hash is', async () => {
    await learn(0);
    await submitAll(...Array.from({ length: 2002 }, (_, index) => `a${index}`));
    expect(Object.keys(outcomes)).toEqual(['measured']);
    await submitAll('late');
    expect(refusalOf('late').status).toBe(503);
  });

  test('does not keep out what comes when there is room again', async () => {
    await learn(0.5);
    await submitAll('a', 'b', ...Array.from({ length: 17 }, (_, index) => `waits${index}`), 'late');
    await running[0]?.finish();
    await running[0]?.finish();
    await submitAll('in time');
    expect(outcomes['in time']).toBeUndefined();
  });
});
