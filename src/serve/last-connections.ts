import type { Server } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** So short a turn of the event loop leaves hardly any time for a connection to come after it was looked for. */
const SHORT_TURN_MS = 0.2;
/** Half of the time that is left for the last answers. */
const LONGEST_WAIT_MS = 2000;

/**
 * Connections that are not accepted when the port is closed are reset, with what was sent on them, and a proxy does not
 * send a POST twice. So the port is closed at the end of a turn in which none was there; a server that has no such moment
 * is too busy to wait for it.
 */
export async function untilNobodyKnocks(server: Server): Promise<void> {
  const deadlineMs = performance.now() + LONGEST_WAIT_MS;
  let connections = 0;
  const onConnection = () => void connections++;
  server.on('connection', onConnection);
  while (performance.now() < deadlineMs) {
    const startMs = performance.now();
    connections = 0;
    await nextTurn();
    if (connections === 0 && performance.now() - startMs < SHORT_TURN_MS) break;
  }
  server.off('connection', onConnection);
}
