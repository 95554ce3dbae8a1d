import type { Worker } from 'node:cluster';
import { Server } from 'node:net';

/*
 * Connections that are not accepted when a port is closed are reset, with what was sent on them, and a proxy does not send a
 * POST twice. So a port is closed at the end of a turn of the event loop in which none came, and in that very turn.
 */

/** So short a turn leaves hardly any time for a connection to come after it was looked for. */
const SHORT_TURN_MS = 0.2;
/** Half of the time that is left for the last answers. Who has no such moment is too busy to wait for it. */
const LONGEST_WAIT_MS = 2000;

/** Closes the port of a server, and nothing that is connected. */
export async function closePort(server: Server): Promise<void> {
  let connections = 0;
  const onConnection = () => void connections++;
  server.on('connection', onConnection);
  new Server().close(); // has it compiled, which takes longer than to run it
  await endOfQuietTurn(
    () => connections,
    () => Server.prototype.close.call(server), // that of HTTP looks through all connections before
  );
  server.off('connection', onConnection);
}

/** In the primary of workers: closes the port that they serve. What they were given they serve, and disconnect then. */
export function closePortOf(workers: Iterable<Worker>): Promise<void> {
  return endOfQuietTurn(
    () => 0, // Node.js accepts for them, and does not say when
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
    setImmediate(startTurn); // from the end of this turn: the rest of it may not look
  });
}
