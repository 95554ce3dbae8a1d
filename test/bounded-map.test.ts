import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BoundedMap, createBoundedMap } from '../src/base/bounded-map.ts';

function mapWith(capacity: number, keys: readonly string[]) {
  const map = createBoundedMap<string>(capacity);
  for (const key of keys) map.set(key, key.toUpperCase());
  return map;
}

describe('a bounded map', () => {
  test('gives back what was set', () => {
    const map = mapWith(4, ['a', 'b']);
    expect([map.get('a'), map.get('b'), map.get('c'), map.size]).toEqual(['A', 'B', undefined, 2]);
  });

  test('keeps the last of two values of one key, and counts the key once', () => {
    const map = mapWith(4, ['a']);
    map.set('a', 'again');
    expect([map.get('a'), map.size]).toEqual(['again', 1]);
  });

  test('keeps the new value of a key whose old one was about to be forgotten', () => {
    const map = mapWith(4, ['a', 'b', 'c']);
    map.set('a', 'again');
    expect([map.get('a'), map.size]).toEqual(['again', 3]);
  });

  test('forgets the keys that nobody asked for', () => {
    const map = mapWith(4, ['a', 'b', 'c', 'd', 'e']);
    expect([map.get('a'), map.get('b')]).toEqual([undefined, undefined]);
  });

  test('keeps a key that is asked for again and again, whatever else comes', () => {
    const map = mapWith(4, ['kept']);
    for (let index = 0; index < 100; index++) {
      map.set(`other ${index}`, '');
      expect(map.get('kept')).toBe('KEPT');
    }
  });

  test('has no value for a deleted key, young or old', () => {
    const map = mapWith(4, ['a', 'b', 'c']);
    map.delete('a');
    map.delete('c');
    expect([map.get('a'), map.get('b'), map.get('c'), map.size]).toEqual([undefined, 'B', undefined, 1]);
  });

  test('takes names of object members for plain keys', () => {
    const map = mapWith(10, []);
    expect(['__proto__', 'constructor', 'toString'].map((key) => map.get(key))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

const key = fc.constantFrom(...'abcdefghij');
const call = fc.oneof(
  { weight: 3, arbitrary: fc.record({ method: fc.constant('set' as const), key, value: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ method: fc.constant('get' as const), key }) },
  { weight: 1, arbitrary: fc.record({ method: fc.constant('delete' as const), key }) },
);
const capacity = fc.integer({ min: 2, max: 12 });
const calls = fc.array(call, { maxLength: 60 });

describe('after any sequence of calls', () => {
  test('a bounded map holds its capacity at most', () => {
    fc.assert(
      fc.property(capacity, calls, (capacity, calls) => {
        const map = createBoundedMap<number>(capacity);
        for (const step of calls) {
          if (step.method === 'set') map.set(step.key, step.value);
          else map[step.method](step.key);
          expect(map.size).toBeLessThanOrEqual(capacity);
        }
      }),
    );
  });

  test('a bounded map answers like a Map for the keys that were last used, half its capacity of them', () => {
    fc.assert(
      fc.property(capacity, calls, (capacity, calls) => {
        const map = createBoundedMap<number>(capacity);
        const model = new Map<string, number>(); // a Map keeps the order in which its keys were set
        for (const step of calls) {
          if (step.method === 'get') compareGet(step.key, map, model, capacity);
          else change(step, map, model);
        }
      }),
      { numRuns: 500 },
    );
  });
});

/** A key that is asked for and found was used last, so it moves to the end of the model. */
function compareGet(
  key: string,
  map: BoundedMap<number>,
  model: Map<string, number>,
  capacity: number,
): void {
  const isRecent = [...model.keys()].slice(-Math.floor(capacity / 2)).includes(key);
  const latest = model.get(key);
  const value = map.get(key);
  expect(isRecent ? [latest] : [latest, undefined]).toContain(value);
  model.delete(key);
  if (value !== undefined) model.set(key, value);
}

function change(step: Change, map: BoundedMap<number>, model: Map<string, number>): void {
  model.delete(step.key);
  if (step.method === 'delete') map.delete(step.key);
  else {
    map.set(step.key, step.value);
    model.set(step.key, step.value);
  }
}

type Change = Exclude<typeof call extends fc.Arbitrary<infer T> ? T : never, { method: 'get' }>;
