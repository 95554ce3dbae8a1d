import { destination, type Logger, pino } from 'pino';

/** What waits to be written, at most: some 30,000 lines. What comes on top of it is lost. */
const MOST_WAITING_BYTES = 4 * 1024 ** 2;

/**
 * The log on standard output. It goes on without it: a disk that is full, or a reader that has ended, is no reason to end,
 * and what could not be written is written when there is room again.
 * @param worker stands in every line
 */
export function createLogger(level: string, worker?: number): Logger {
  const output = destination({ dest: 1, maxLength: MOST_WAITING_BYTES });
  let isBroken = false;
  output.on('error', () => {
    isBroken = true;
  });
  output.on('write', () => {
    isBroken = false;
  });
  // At the end of the process it would try for ever.
  const { flushSync } = output;
  output.flushSync = () => isBroken || flushSync.call(output);
  return pino({ level, base: worker === undefined ? null : { worker } }, output);
}
