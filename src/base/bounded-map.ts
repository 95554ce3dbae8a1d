/** A map that forgets what has not been asked for lately, so that it never holds more than its capacity. */
export interface BoundedMap<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
  delete(key: string): void;
  readonly size: number;
}

/**
 * Two generations of at most half the capacity each. When the young one is full it becomes the old one and what
 * was old is dropped, except that an entry asked for in between has moved on to the young one: close to
 * least-recently-used, without a list or a timer.
 * @param capacity at least 2
 */
export function createBoundedMap<V>(capacity: number): BoundedMap<V> {
  const half = Math.max(1, Math.floor(capacity / 2));
  let young = new Map<string, V>();
  let old = new Map<string, V>();

  function set(key: string, value: V): void {
    if (young.size >= half && !young.has(key)) {
      old = young;
      young = new Map();
    }
    old.delete(key);
    young.set(key, value);
  }

  return {
    get(key) {
      const value = young.get(key);
      if (value !== undefined) return value;
      const older = old.get(key);
      if (older !== undefined) set(key, older);
      return older;
    },
    set,
    delete(key) {
      young.delete(key);
      old.delete(key);
    },
    get size() {
      return young.size + old.size;
    },
  };
}

/**
 * A copy to keep. A text that was cut out of another is a view of it: it would keep the whole alive, and each look at it
 * goes through the other.
 * @param text of characters up to U+00FF, as headers have
 */
export function ownText(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
