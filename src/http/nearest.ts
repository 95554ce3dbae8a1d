import { distance } from '../base/edit-distance.ts';

/**
 * The known name that was probably meant: the one with the fewest letters to change, capitals aside. Undefined when none
 * is near.
 */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const most = Math.min(3, Math.floor(name.length / 2));
  const [best] = known
    .map((candidate) => ({
      candidate,
      changes: distance(name.slice(0, 64).toLowerCase(), candidate.toLowerCase()),
    }))
    .filter(({ changes }) => changes <= most)
    .sort((one, other) => one.changes - other.changes);
  return best?.candidate;
}
