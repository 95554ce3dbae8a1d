import { createLease } from './lease.ts';
import { localStorageIfAny, platform } from './platform.ts';

/** Runs one action at a time, in the order in which they were asked for. */
export type Exclusive = <T>(action: () => Promise<T>) => Promise<T>;

export interface Tabs {
  /** One at a time in all tabs. */
  exclusive: Exclusive;
  tell(message: unknown): void;
}

/**
 * @param name what the tabs have in common; without one this is the only tab
 * @param hear is called with what another tab tells
 */
export function joinTabs(name: string | undefined, hear: (message: unknown) => void): Tabs {
  const { navigator, BroadcastChannel } = platform;
  if (name === undefined) return { exclusive: createQueue(), tell: () => undefined };
  const channel = BroadcastChannel && new BroadcastChannel(name);
  if (channel) channel.onmessage = ({ data }) => hear(data);
  // A message may be there before what it tells of can be read in `localStorage`.
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
