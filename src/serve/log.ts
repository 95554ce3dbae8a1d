import { isatty } from 'node:tty';
import { type DestinationStream, destination, type Logger, pino } from 'pino';
import type { Config } from '../config/config.ts';

const STDOUT = 1;

/** What waits to be written, at most: some 30,000 lines. What comes on top of it is lost. */
const MOST_WAITING_BYTES = 4 * 1024 ** 2;

/**
 * The log on standard output. It goes on without it: a disk that is full, or a reader that has ended, is no reason to end,
 * and what could not be written is written when there is room again. At a terminal the lines are for people, else JSON.
 * @param worker stands in every line
 */
export async function createLogger(settings: Config['log'], worker?: number): Promise<Logger> {
  const output = destination({ dest: STDOUT, maxLength: MOST_WAITING_BYTES });
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
  const { level, format = isatty(STDOUT) ? 'text' : 'json' } = settings;
  const stream = format === 'json' ? output : await asText(output);
  return pino({ level, base: worker === undefined ? null : { worker } }, stream);
}

async function asText(output: ReturnType<typeof destination>): Promise<DestinationStream> {
  const { toLogLine } = await import('./log-lines.ts');
  const isColoured = isatty(STDOUT) && process.stdout.hasColors(); // not where NO_COLOR is set
  return {
    write: (json: string) => output.write(toLogLine(json, isColoured)),
    flushSync: () => output.flushSync(), // what a fatal line calls
  } as DestinationStream;
}
