/** A map that never holds more than its capacity: it forgets entries that nobody asked for lately. */
export interface BoundedMap<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
  delete(key: string): void;
  readonly size: number;
}

/**
 * Close to least-recently-used, without a list or a timer. There are two generations of at most half the capacity each. An
 * entry that somebody asks for moves to the young generation. When the young one is full it becomes the old one, and the
 * former old one is dropped.
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
 * A copy of a text, to be kept. In V8 a text that was cut out of another is a view of the other: it keeps the whole text in
 * memory, and each read of it goes through the other.
 * @param text of characters up to U+00FF, as headers have
 */
export function ownText(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
