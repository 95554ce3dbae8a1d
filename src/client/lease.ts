import type { TextArea } from './platform.ts';
import { randomId } from './random-id.ts';
import type { Exclusive } from './tabs.ts';

/** A tab that was closed holds up the others for so long. */
const LEASE_MS = 5000;
/** Longer than a tab takes from finding it free to writing its own name. */
const SETTLE_MS = 30;

/**
 * Where there are no Web Locks. Not airtight: a tab that is held up in between, or takes longer than the lease, makes two
 * of them renew. That does no harm, since a refresh token may be used twice.
 */
export function createLease(area: TextArea, name: string): Exclusive {
  const isTaken = () => {
    const leftMs = Number(area.getItem(name)?.split(' ')[1]) - Date.now();
    return leftMs > 0 && leftMs <= LEASE_MS; // the clock may have been set back
  };
  return async (action) => {
    let own = '';
    do {
      if (!isTaken()) {
        own = `${randomId()} ${Date.now() + LEASE_MS}`;
        area.setItem(name, own);
      }
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS)); // who wrote last has it
    } while (area.getItem(name) !== own);
    try {
      return await action();
    } finally {
      if (area.getItem(name) === own) area.removeItem(name);
    }
  };
}
