import { createLease } from './lease.ts';
import { localStorageIfAny, platform } from './platform.ts';

/** Runs actions one at a time, in the order of the calls. */
export type Exclusive = <T>(action: () => Promise<T>) => Promise<T>;

export interface Tabs {
  /** Runs one action at a time in all tabs. */
  exclusive: Exclusive;
  tell(message: unknown): void;
}

/**
 * @param name the same in all tabs that belong together; undefined for one tab alone
 * @param hear called with each message of another tab
 */
export function joinTabs(name: string | undefined, hear: (message: unknown) => void): Tabs {
  const { navigator, BroadcastChannel } = platform;
  if (name === undefined) return { exclusive: createQueue(), tell: () => undefined };
  const channel = BroadcastChannel && new BroadcastChannel(name);
  if (channel) channel.onmessage = ({ data }) => hear(data);
  // Beside the messages: a message may arrive before `localStorage` shows the change that it tells of.
  platform.addEventListener?.('storage', ({ key, newValue }) => {
    if (key === name && (newValue || !channel)) hear({});
  });
  const tell = (message: unknown) => channel?.postMessage(message);

  const locks = navigator?.locks;
  if (locks) return { tell, exclusive: (action) => locks.request(name, action) };
  const [area, queue] = [localStorageIfAny(), createQueue()];
  if (!area) return { tell, exclusive: queue };
  const leased = createLease(area, `${name} lease`);
  return { tell, exclusive: (action) => queue(() => leased(action)) };
}

function createQueue(): Exclusive {
  let last: Promise<unknown> = Promise.resolve();
  return (action) => {
    const turn = last.then(action, action);
    last = turn;
    return turn;
  };
}
