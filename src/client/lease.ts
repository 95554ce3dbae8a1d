import type { TextArea } from './platform.ts';
import { randomId } from './random-id.ts';
import type { Exclusive } from './tabs.ts';

/** How long a tab that was closed holds up the others. */
const LEASE_MS = 5000;
/** Longer than a tab takes to write its name after it found the lease free. */
const SETTLE_MS = 30;

/**
 * A lock for platforms without Web Locks. It is not airtight: when a tab is held up, or takes longer than the lease, two tabs
 * renew. That does no harm, since a refresh token may be used twice.
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
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS)); // the tab that wrote last has the lease
    } while (area.getItem(name) !== own);
    try {
      return await action();
    } finally {
      if (area.getItem(name) === own) area.removeItem(name);
    }
  };
}
