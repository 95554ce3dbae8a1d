import type { Worker } from 'node:cluster';
import { Server } from 'node:net';

/*
 * When a port is closed, the system resets connections that were not accepted yet, with the requests on them, and a proxy does not
 * send a POST twice. So the port is closed at the end of a turn of the event loop in which no connection came.
 */

/** How long a quiet turn may take: in a longer one, a connection could come after the turn has looked for it. */
const SHORT_TURN_MS = 0.2;
/** How long to wait for a quiet turn: half of the time that is left for the last answers. */
const LONGEST_WAIT_MS = 2000;

/** Closes the port of a server, and no connection. */
export async function closePort(server: Server): Promise<void> {
  let connections = 0;
  const onConnection = () => void connections++;
  server.on('connection', onConnection);
  new Server().close(); // has `close` compiled, which takes longer than the call
  await endOfQuietTurn(
    () => connections,
    () => Server.prototype.close.call(server), // the `close` of HTTP first looks through all connections
  );
  server.off('connection', onConnection);
}

/** In the primary: closes the port of the workers. They serve the connections that they have, and then disconnect. */
export function closePortOf(workers: Iterable<Worker>): Promise<void> {
  return endOfQuietTurn(
    () => 0, // Node.js accepts connections for the workers, and tells nobody
    () => {
      for (const worker of workers) worker.disconnect();
    },
  );
}

function endOfQuietTurn(countOf: () => number, act: () => void): Promise<void> {
  const deadlineMs = performance.now() + LONGEST_WAIT_MS;
  return new Promise((resolve) => {
    function startTurn(): void {
      const startMs = performance.now();
      const count = countOf();
      setImmediate(() => {
        const nowMs = performance.now();
        const isQuiet = countOf() === count && nowMs - startMs < SHORT_TURN_MS;
        if (!isQuiet && nowMs < deadlineMs) return startTurn();
        act();
        resolve();
      });
    }
    setImmediate(startTurn); // begins after this turn, which may go on for long
  });
}
